"""Events from a Kafka topic, each counted exactly once.

The offset behind every partition is committed in the same transaction as its events and read back from there; what the
broker remembers for a consumer group is at most a hint for those who watch the lag. All partitions are assigned to this
one consumer, since one process owns the database, so there is no group to join and no rebalance to wait for.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ingest import positions
from ingest.outcome import Line, Outcome, Sink
from ingest.positions import Position
from ingest.writer import BATCH_EVENTS
from lineage.errors import MeshlineError, UsageError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

    from lineage.store import Store

log = logging.getLogger("meshline.consume")

Start = Literal["earliest", "latest"]

_URL = re.compile(r"kafka://([^/\s]+)/([^/\s?#]+)")
_FETCH = 500  # messages asked for at once
_BATCH_BYTES = 32 * 1024 * 1024
_WAIT = 0.5  # seconds until a look ends without messages
_PATIENCE = 30.0  # seconds of silence after which a broker counts as gone
_LOOK_FOR_PARTITIONS = 60.0  # seconds
_SELDOM = 60.0  # seconds until the same trouble is told again
_OURS = {  # settings that exactly-once rests on
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
}


class KafkaError(MeshlineError):
    """The broker cannot be reached, or refuses."""


class AwayError(KafkaError):
    """The broker does not answer at the moment."""


class MissingExtraError(MeshlineError):
    """The Kafka client is not installed."""


class Address(NamedTuple):
    """Where a topic is; ``servers`` as Kafka clients want them."""

    servers: str
    topic: str

    @property
    def url(self) -> str:
        """``kafka://host:port/topic``."""
        return f"kafka://{self.servers}/{self.topic}"


def address(url: str) -> Address:
    """Read ``kafka://host[:port][,host[:port]…]/topic``.

    >>> address("kafka://a,b:9093/openlineage.events")
    Address(servers='a:9092,b:9093', topic='openlineage.events')

    Raises
    ------
    UsageError
        when it is nothing of the kind.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise UsageError(f"“{url}” is no topic. Write it like kafka://broker:9092/openlineage.events.")
    hosts = [host if re.search(r":\d+$", host) else f"{host}:9092" for host in match[1].split(",") if host]
    if not hosts:
        raise UsageError(f"“{url}” names no broker. Write it like kafka://broker:9092/openlineage.events.")
    return Address(",".join(hosts), match[2])


def read_settings(path: Path) -> dict[str, str]:
    """Client settings (security, time-outs) from a file of ``key=value`` lines.

    Raises
    ------
    UsageError
        for a line that is none, and for settings that exactly-once rests on.
    """
    found = {}
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not key:
            raise UsageError(f"{path}:{number}: “{line}” is no setting; write key=value.")
        if key in _OURS or key == "bootstrap.servers":
            raise UsageError(f"{path}:{number}: {key} is set by Meshline; remove it.")
        found[key] = value
    return found


@dataclass
class Partition:
    """State of one partition: the next offset, and whether its end was reached since the start."""

    next: int
    at_end: bool = False


class Topic:
    """One topic that is consumed.

    Parameters
    ----------
    where
        brokers and topic.
    store, writer
        where events and offsets go.
    settings
        more settings of the client.
    start
        where to begin in a topic that was never read; a partition that is added later is read from its start.
    group
        consumer group whose offsets are moved along for those who watch the lag; ``None`` for none.
    """

    def __init__(
        self,
        where: Address,
        store: Store,
        writer: Sink,
        *,
        settings: dict[str, str] | None = None,
        start: Start = "earliest",
        group: str | None = None,
    ) -> None:
        self.where = where
        self._writer = writer
        self._start: Start = start
        self._group = group
        self._consumer = _consumer(where, settings or {}, group)
        self._partitions: dict[int, Partition] = {}
        self._told = ""
        self._heard = self._listed = time.monotonic()
        try:
            self.source = f"kafka:{self._cluster()}/{where.topic}"
            self._known = positions.load(store, self.source)
            self._assign(self._numbers())
        except BaseException:
            self._consumer.close()
            raise

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    @property
    def finished(self) -> bool:
        """Whether the end of every partition was reached."""
        return all(partition.at_end for partition in self._partitions.values())

    def look(self) -> Outcome:
        """Take what has arrived, at most one batch; it is committed together with its offsets."""
        if time.monotonic() - self._listed > _LOOK_FOR_PARTITIONS:
            self._look_for_partitions()
        lines: list[Line] = []
        size = 0
        wait = _WAIT
        while len(lines) < BATCH_EVENTS and size < _BATCH_BYTES:
            messages = self._consume(wait)
            found = list(self._lines(messages))
            lines += found
            size += sum(len(line.data) for line in found)
            if len(messages) < _FETCH:
                break
            wait = 0.0
        moved = [number for number, partition in self._partitions.items() if self._saved(number) != partition.next]
        if not moved:
            return Outcome()
        return self._write(lines, moved)

    def wait_for_silence(self) -> None:
        """Give up when a broker has been silent for too long.

        Raises
        ------
        KafkaError
            after half a minute without a message, with messages still to come.
        """
        if time.monotonic() - self._heard > _PATIENCE:
            raise KafkaError(f"{self.where.servers} has stopped answering. {self._told}".rstrip())

    # -- messages

    def _consume(self, wait: float) -> list[Message]:
        found: list[Message] = self._consumer.consume(_FETCH, timeout=wait)
        return found

    def _lines(self, messages: Iterable[Message]) -> Iterable[Line]:
        for message in messages:
            if message.error() is not None:
                self._refused(message)
                continue
            number = message.partition()
            offset = message.offset()
            self._heard = time.monotonic()
            self._partitions[number].next = offset + 1
            value = message.value()
            if value:  # a message without value is a deletion mark, not an event
                yield Line(bytes(value), offset, f"{self.where.url}/{number}")

    def _refused(self, message: Message) -> None:
        from confluent_kafka import KafkaError as Code

        error = message.error()
        code = error.code()
        partition = self._partitions.get(message.partition())
        if code == Code._PARTITION_EOF:
            self._heard = time.monotonic()
            if partition is not None:
                partition.at_end = True
                partition.next = max(partition.next, message.offset())  # marks of transactions take offsets too
            return
        if code in (Code._AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE) and partition is not None:
            self._heard = time.monotonic()
            self._out_of_range(message.partition(), partition)
            return
        if code == Code.GROUP_AUTHORIZATION_FAILED and self._group is None:
            return  # the client looks for the group's coordinator unasked; reading takes none
        if error.retriable() or code in (
            Code._TRANSPORT, Code._ALL_BROKERS_DOWN, Code._TIMED_OUT, Code._RESOLVE,
            Code.UNKNOWN, Code.REQUEST_TIMED_OUT, Code.NETWORK_EXCEPTION,  # a broker in trouble, not for good
        ):  # fmt: skip
            self._tell(error.str())
            return
        raise KafkaError(f"{self.where.url}: {error.str()}")

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            log.warning("%s: %s; the client tries again", self.where.servers, text)

    def _write(self, lines: list[Line], moved: list[int]) -> Outcome:
        topic = self.where.topic
        saved = [Position(str(n), f"{topic}[{n}]", self._partitions[n].next) for n in moved]
        outcome = self._writer.ingest(
            lines, source=self.where.url, together=lambda cursor: positions.save(cursor, self.source, saved)
        )
        self._known |= {position.part: position for position in saved}
        if self._group is not None:
            from confluent_kafka import TopicPartition

            offsets = [TopicPartition(topic, n, self._partitions[n].next) for n in moved]
            self._consumer.commit(offsets=offsets, asynchronous=True)
        return outcome

    # -- partitions

    def _cluster(self) -> str:
        return str(self._metadata().cluster_id or self.where.servers)

    def _numbers(self) -> set[int]:
        self._listed = time.monotonic()
        from confluent_kafka import KafkaError as Code

        servers, topic = self.where
        found = self._metadata().topics.get(topic)
        error = found.error if found is not None else None
        if error is not None and error.code() != Code.UNKNOWN_TOPIC_OR_PART:
            kind = KafkaError if error.code() == Code.TOPIC_AUTHORIZATION_FAILED else AwayError
            raise kind(f"{servers} does not tell the partitions of “{topic}”: {error.str()}")
        if found is None or error is not None or not found.partitions:
            raise KafkaError(f"{servers} has no topic “{topic}”. Create it, or let the first event do so.")
        return set(found.partitions)

    def _look_for_partitions(self) -> None:
        """Read partitions that were added; a broker that is away now is asked again later."""
        try:
            self._assign(self._numbers() - set(self._partitions))
        except AwayError as error:
            self._tell(str(error))

    def _metadata(self) -> Any:
        from confluent_kafka import KafkaException

        try:
            return self._consumer.list_topics(self.where.topic, timeout=_PATIENCE / 3)
        except KafkaException as error:
            reason = error.args[0].str() if error.args else "no answer"
            raise AwayError(f"{self.where.servers} cannot be reached: {reason}. Is the broker running?") from None

    def _assign(self, numbers: Iterable[int]) -> None:
        """Begin to read partitions, each from where it was left."""
        from confluent_kafka import TopicPartition

        latest = self._start == "latest" and not self._known and not self._partitions
        added = {}
        for number in sorted(numbers):
            begin = self._saved(number)
            if begin is None:
                low, high = self._range(number)
                begin = high if latest else low
            added[number] = Partition(begin)
        if added:
            places = [TopicPartition(self.where.topic, number, partition.next) for number, partition in added.items()]
            self._consumer.incremental_assign(places)
            self._partitions |= added

    def _out_of_range(self, number: int, partition: Partition) -> None:
        """The broker does not have the next offset: messages were removed, or the topic is another one now."""
        from confluent_kafka import TopicPartition

        low, _ = self._range(number)
        lost = low - partition.next
        if lost > 0:
            log.error(
                "%s/%d: %d messages were removed by the topic's retention before they were read",
                self.where.url, number, lost, extra={"lost": lost},
            )  # fmt: skip
        else:
            log.warning(
                "%s/%d ends before offset %d, so it was made anew: it is read from its start",
                self.where.url, number, partition.next,
            )  # fmt: skip
        partition.next = low
        place = TopicPartition(self.where.topic, number, low)
        self._consumer.incremental_unassign([place])
        self._consumer.incremental_assign([place])

    def _range(self, number: int) -> tuple[int, int]:
        """First offset that a partition holds, and the one behind its last."""
        from confluent_kafka import KafkaException, TopicPartition

        place = TopicPartition(self.where.topic, number)
        try:
            low, high = self._consumer.get_watermark_offsets(place, timeout=_PATIENCE / 3)
        except KafkaException as error:
            raise AwayError(f"{self.where.url}: partition {number}: {error.args[0].str()}") from None
        return low, high

    def _saved(self, number: int) -> int | None:
        known = self._known.get(str(number))
        return None if known is None else known.position


def _consumer(where: Address, settings: dict[str, str], group: str | None) -> Consumer:
    try:
        from confluent_kafka import Consumer, KafkaException
    except ImportError:
        raise MissingExtraError("Consuming from Kafka needs a client: pip install 'meshline[kafka]'") from None

    told: dict[str, float] = {}

    def trouble(error: Any) -> None:  # the client tries to connect many times a second
        what = re.sub(r" \(after \d+ms.*", "", error.str())
        now = time.monotonic()
        if now - told.get(what, -_SELDOM) >= _SELDOM:
            told[what] = now
            log.warning("%s: %s", where.servers, what)

    client = logging.getLogger("meshline.consume.client")
    client.addFilter(_not_told_twice)
    config: dict[str, Any] = {
        "client.id": "meshline",
        **settings,
        **_OURS,
        "bootstrap.servers": where.servers,
        "group.id": group or "meshline",
        "error_cb": trouble,
    }
    try:
        return Consumer(config, logger=client)
    except KafkaException as error:
        raise UsageError(f"The Kafka client refuses its settings: {error.args[0].str()}") from None


def _not_told_twice(record: logging.LogRecord) -> bool:
    """Leave out what the client logs of a lost connection: it tells the same as an error."""
    return not record.getMessage().startswith("FAIL ")
