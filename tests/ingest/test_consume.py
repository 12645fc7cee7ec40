"""``meshline consume``: every message counts exactly once, whatever happens between two batches."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.outcome import Outcome
from ingest.positions import Position, save
from ingest.sources.kafka import KafkaError, Topic, address, read_settings
from ingest.writer import Writer
from lineage.errors import UsageError
from lineage.fingerprint import fingerprint
from lineage.store import Store
from tests.ingest.brokers import KINDS, Broker, running
from tests.ingest.build import loaded, run_event
from tests.ingest.cli import Cli

EVENTS = [run_event(f"r{i}", at=f"2026-01-0{i + 1}T00:00:00Z", inputs=["a"], outputs=[f"b{i}"]) for i in range(8)]


@pytest.fixture(params=KINDS, scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """Each test runs against both kinds of broker."""
    with running(request.param) as found:
        yield found


def once(meshline: Cli, broker: Broker, topic: str, *more: str) -> tuple[int, int, int]:
    """(accepted, duplicates, quarantined) of one run; each run is a restart."""
    found = meshline.json("consume", broker.url(topic), "--once", *more)
    return found["accepted"], found["duplicates"], found["quarantined"]


def test_a_restart_goes_on_where_the_last_one_ended(meshline: Cli, broker: Broker) -> None:
    topic = broker.topic()
    broker.send(topic, *EVENTS[:5])
    assert once(meshline, broker, topic) == (5, 0, 0)
    assert once(meshline, broker, topic) == (0, 0, 0)
    broker.send(topic, *EVENTS[5:])
    assert once(meshline, broker, topic) == (3, 0, 0)
    with Store.open(meshline.db) as store:
        assert fingerprint(store) == fingerprint(loaded(*EVENTS))
        assert store.rows("SELECT sum(position) FROM source_position") == [(8,)]


def test_offsets_are_committed_with_the_events_or_not_at_all(
    meshline: Cli, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = broker.topic()
    broker.send(topic, *EVENTS[:2])

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with Store.open(meshline.db) as store:
        monkeypatch.setattr("ingest.positions.save", fail)
        consumed = Topic(address(broker.url(topic)), store, Writer(store))
        with pytest.raises(KeyboardInterrupt):
            while not consumed.finished:
                consumed.look()
        consumed.close()
        assert store.rows("SELECT count(*) FROM event") == [(0,)]
    monkeypatch.undo()
    assert once(meshline, broker, topic) == (2, 0, 0)


def test_what_is_no_event_is_quarantined_with_partition_and_offset(meshline: Cli, broker: Broker) -> None:
    topic = broker.topic()
    broker.send(topic, EVENTS[0], b"not json", None, EVENTS[0], partition=2)
    assert once(meshline, broker, topic) == (1, 1, 1)
    (item,) = meshline.json("rejects", "list")["rejects"]
    assert (item["source"], item["line"]) == (f"{broker.url(topic)}/2", 1)
    with Store.open(meshline.db) as store:
        assert store.rows("SELECT position FROM source_position WHERE part = '2'") == [(4,)]


def test_latest_begins_behind_what_is_there_and_stays_there(meshline: Cli, broker: Broker) -> None:
    topic = broker.topic()
    broker.send(topic, EVENTS[0])
    with Store.open(meshline.db) as store:
        consumed = Topic(address(broker.url(topic)), store, Writer(store), start="latest")
        assert consumed.look() == Outcome()
        consumed.close()
    broker.send(topic, EVENTS[1])
    assert once(meshline, broker, topic, "--from", "latest") == (1, 0, 0)


def test_a_partition_added_later_is_read_too(
    meshline: Cli, broker: Broker, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    topic = broker.topic()
    broker.send(topic, EVENTS[0], partition=0)
    with Store.open(meshline.db) as store:
        numbers = Topic._numbers
        monkeypatch.setattr(Topic, "_numbers", lambda _: {0})
        consumed = Topic(address(broker.url(topic)), store, Writer(store))
        other = broker.topic()
        monkeypatch.setattr(Topic, "_numbers", numbers)
        consumed.where = consumed.where._replace(topic=other)  # as if its topic had grown
        broker.send(other, EVENTS[1], partition=1)
        monkeypatch.setattr("ingest.sources.kafka._LOOK_FOR_PARTITIONS", -1.0)
        total = Outcome()
        while total.accepted < 2:
            total.add(consumed.look())
        consumed.close()
    assert total.read == 2


def test_a_partition_added_later_is_read_from_its_start_with_latest_too(
    meshline: Cli, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = broker.topic()
    broker.send(topic, EVENTS[0], partition=0)
    with Store.open(meshline.db) as store:
        with monkeypatch.context() as patched:
            patched.setattr(Topic, "_numbers", lambda _: {0})  # as if it had one partition
            consumed = Topic(address(broker.url(topic)), store, Writer(store), start="latest")
        assert consumed.look() == Outcome()
        broker.send(topic, EVENTS[1], partition=1)
        with monkeypatch.context() as patched:
            patched.setattr(Topic, "_numbers", lambda _: {0, 1})
            patched.setattr("ingest.sources.kafka._LOOK_FOR_PARTITIONS", -1.0)
            total = Outcome()
            while not total.accepted:
                total.add(consumed.look())
        consumed.close()
    broker.send(topic, EVENTS[2], partition=2)  # added while nobody consumed
    assert once(meshline, broker, topic, "--from", "latest") == (1, 0, 0)


def test_a_broker_that_is_away_when_partitions_are_looked_for_is_waited_for(
    meshline: Cli, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with running("tansu") as broker, Store.open(meshline.db) as store:
        assert broker.process is not None
        topic = broker.topic()
        consumed = Topic(address(broker.url(topic)), store, Writer(store))
        broker.send(topic, EVENTS[0])
        with monkeypatch.context() as patched:
            patched.setattr("ingest.sources.kafka._LOOK_FOR_PARTITIONS", -1.0)
            patched.setattr("ingest.sources.kafka._PATIENCE", 1.0)
            broker.process.send_signal(signal.SIGSTOP)
            try:
                consumed.look()
            finally:
                broker.process.send_signal(signal.SIGCONT)
        assert "cannot be reached" in caplog.text
        total = Outcome()
        while not total.accepted:
            total.add(consumed.look())
        consumed.close()


def test_an_outage_is_not_told_with_every_attempt_to_connect(meshline: Cli, caplog: pytest.LogCaptureFixture) -> None:
    with running("tansu") as broker, Store.open(meshline.db) as store:
        assert broker.process is not None
        consumed = Topic(address(broker.url(broker.topic())), store, Writer(store))
        consumed.look()
        broker.process.kill()
        for _ in range(4):
            consumed.look()
        consumed.close()
    told = [record.getMessage() for record in caplog.records if record.name.startswith("meshline.consume")]
    assert any("brokers are down" in text for text in told)
    assert len(told) == len(set(told))
    assert not any("FAIL" in text for text in told)


def test_a_topic_that_may_not_be_read_is_not_called_missing(
    meshline: Cli, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from confluent_kafka import KafkaError as Code

    topic = broker.topic()
    found = SimpleNamespace(error=Code(Code.TOPIC_AUTHORIZATION_FAILED), partitions={})
    answer = SimpleNamespace(cluster_id="c", topics={topic: found})  # neither broker knows access rules
    monkeypatch.setattr(Topic, "_metadata", lambda _: answer)
    code, _, err = meshline("consume", broker.url(topic), "--once")
    assert code == 1
    assert "Topic authorization failed" in err
    assert "Create it" not in err


@pytest.mark.parametrize("name", ["UNKNOWN", "REQUEST_TIMED_OUT", "NETWORK_EXCEPTION", "GROUP_AUTHORIZATION_FAILED"])
def test_trouble_of_a_broker_that_passes_does_not_end_the_consumer(
    meshline: Cli, broker: Broker, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    topic = broker.topic()
    broker.send(topic, EVENTS[0])
    with Store.open(meshline.db) as store:
        consumed = Topic(address(broker.url(topic)), store, Writer(store))
        with monkeypatch.context() as patched:
            patched.setattr(consumed, "_consume", lambda _: [refusal(name)])
            assert consumed.look() == Outcome()
            patched.setattr("ingest.sources.kafka._PATIENCE", -1.0)
            with pytest.raises(KafkaError, match="stopped answering"):  # an error is no sign of life
                consumed.wait_for_silence()
        total = Outcome()
        while not total.accepted:
            total.add(consumed.look())
        consumed.close()


def test_a_group_that_was_asked_for_and_is_refused_is_an_error(
    meshline: Cli, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(meshline.db) as store:
        consumed = Topic(address(broker.url(broker.topic())), store, Writer(store), group="watched")
        monkeypatch.setattr(consumed, "_consume", lambda _: [refusal("GROUP_AUTHORIZATION_FAILED")])
        with pytest.raises(KafkaError, match="Group authorization failed"):
            consumed.look()
        consumed.close()


def refusal(name: str) -> SimpleNamespace:
    """What the client hands over instead of a message when a broker answers with an error."""
    from confluent_kafka import KafkaError as Code

    error = Code(getattr(Code, name))
    return SimpleNamespace(error=lambda: error, partition=lambda: 0, offset=lambda: -1001)


def test_a_topic_that_was_made_anew_is_read_from_its_start(meshline: Cli) -> None:
    with running("mock") as broker:  # Tansu answers such a question with silence instead of an error
        topic = broker.topic()
        broker.send(topic, *EVENTS[:3], partition=0)
        with Store.open(meshline.db) as store:
            consumed = Topic(address(broker.url(topic)), store, Writer(store))
            with store.transaction() as cursor:
                save(cursor, consumed.source, [Position("0", "", 9)])
            consumed.close()
        code, out, err = meshline("consume", broker.url(topic), "--once", "--format", "json")
    assert (code, json.loads(out)["accepted"]) == (0, 3)
    assert "made anew" in err


def test_it_consumes_until_it_is_told_to_stop(meshline: Cli, broker: Broker) -> None:
    topic = broker.topic()
    broker.send(topic, EVENTS[0])
    command = [sys.executable, "-m", "lineage.cli", "consume", broker.url(topic), "--log-format", "json"]
    options = ["--format", "json", "--group", "watched", "--db", str(meshline.db)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        records = (json.loads(line) for line in child.stderr)
        assert "Consuming" in next(records)["message"]
        logged = (record for record in records if "accepted" in record)  # the client has its own to tell
        assert next(logged)["accepted"] == 1
        broker.send(topic, EVENTS[1])
        assert next(logged)["accepted"] == 1
        child.send_signal(signal.SIGTERM)
        out, _ = child.communicate()
    assert child.returncode == 0
    assert json.loads(out)["accepted"] == 2


def test_the_official_client_sends_through_kafka(meshline: Cli, broker: Broker) -> None:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.transport.kafka import KafkaConfig, KafkaTransport

    topic = broker.topic()
    config = KafkaConfig.from_dict(
        {"config": {"bootstrap.servers": broker.servers, "log_level": 0}, "topic": topic, "flush": True}
    )
    client = OpenLineageClient(transport=KafkaTransport(config))
    for state in (RunState.START, RunState.COMPLETE):
        run = Run("0190a1b2-3c4d-7e5f-8a9b-000000000001")
        client.emit(RunEvent(eventType=state, eventTime="2026-01-01T00:00:00Z", run=run, job=Job("n", "j")))
    client.close()
    assert once(meshline, broker, topic) == (2, 0, 0)


# -- without a broker


@pytest.mark.parametrize(
    "url", ["kafka://", "kafka://h:1", "kafka://h/a/b", "http://h/t", "kafka:// /t", "kafka://,/t"]
)
def test_a_bad_address_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="kafka://broker:9092/"):
        address(url)


def test_a_broker_that_is_not_there_is_named(meshline: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("confluent_kafka")
    monkeypatch.setattr("ingest.sources.kafka._PATIENCE", 1.5)
    code, _, err = meshline("consume", "kafka://127.0.0.1:1/topic", "--once")
    assert code == 1
    assert "127.0.0.1:1 cannot be reached" in err


def test_a_topic_that_is_not_there_is_named(meshline: Cli) -> None:
    with running("mock") as broker:
        code, _, err = meshline("consume", broker.url("nowhere"), "--once")
    assert code == 1
    assert "no topic “nowhere”" in err


def test_without_the_client_the_error_names_the_extra(meshline: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    code, _, err = meshline("consume", "kafka://127.0.0.1/topic", "--once")
    assert code == 1
    assert "meshline[kafka]" in err


def test_settings_come_from_a_file_but_not_those_that_exactly_once_rests_on(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("# security\nsecurity.protocol = SASL_SSL\nsasl.password=a=b\n\n")
    assert read_settings(file) == {"security.protocol": "SASL_SSL", "sasl.password": "a=b"}
    for bad in ("nonsense", "enable.auto.commit=true", "=x"):
        file.write_text(f"\n{bad}\n")
        with pytest.raises(UsageError, match=r"client\.properties:2"):
            read_settings(file)
