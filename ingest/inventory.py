"""Which facets arrive, from whom, and whether they are understood: read from the archived events themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from ingest.archive import blocks_after
from ingest.envelope import Entity, Envelope, decode, entities
from ingest.facets import DATASET, JOB, RUN, find

if TYPE_CHECKING:
    from lineage.store import Store

EVENTS = 5_000  # newest ones that are looked at
_AT_ONCE = 8  # blocks
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class FacetUse:
    """One facet as one producer sends it.

    ``events`` counts the events that carry it. ``use`` says what it is used for; ``None`` for one that is not of the
    standard, which is kept and shown. ``understood``: it becomes more than a text that is kept.
    """

    entity: str  # 'run', 'job' or 'dataset'
    key: str
    events: int
    use: str | None
    understood: bool


@dataclass(frozen=True, slots=True)
class Inventory:
    """Facets by producer, most frequent first, in the newest ``events`` events of the archive."""

    events: int
    facets: dict[str, tuple[FacetUse, ...]]


def inventory(store: Store, limit: int = EVENTS) -> Inventory:
    """Look through the newest archived events.

    Parameters
    ----------
    store
        where they are.
    limit
        how many events at least, if there are so many; whole blocks are read.
    """
    counted: dict[str, Counter[tuple[str, str]]] = {}
    seen = 0
    with store.cursor() as cursor:
        rows = cursor.execute("SELECT block, n FROM raw WHERE block IS NOT NULL ORDER BY block DESC").fetchall()
        first = 0
        total = 0
        for block, n in rows:
            first = block
            total += n
            if total >= limit:
                break
        after = first - 1
        while rows and (blocks := list(blocks_after(cursor, after, _AT_ONCE))):
            after = blocks[-1][0]
            for _, _, events in blocks:
                for data in events:
                    envelope = decode(data)
                    assert isinstance(envelope, Envelope), "only readable events are archived"
                    seen += 1
                    counted.setdefault(envelope.producer, Counter()).update(set(_facets(envelope)))
    return Inventory(seen, {producer: tuple(_uses(counts)) for producer, counts in sorted(counted.items())})


def _facets(envelope: Envelope) -> Iterator[tuple[str, str]]:
    """Entity and key of every facet of an event."""
    if envelope.run is not None:
        yield from ((RUN, key) for key in _names(envelope.run.facets))
    if envelope.job is not None:
        yield from ((JOB, key) for key in _names(envelope.job.facets))
    datasets: list[Entity] = [envelope.dataset] if envelope.dataset is not None else []
    datasets += entities(envelope.inputs, "inputs", []) + entities(envelope.outputs, "outputs", [])
    for dataset in datasets:
        for raw in (dataset.facets, dataset.inputFacets, dataset.outputFacets):
            yield from ((DATASET, key) for key in _names(raw))


def _names(raw: msgspec.Raw) -> list[str]:
    try:
        return list(_keys(raw))
    except (msgspec.DecodeError, RecursionError):
        return []  # nothing there, or no object: noted with the event


def _uses(counts: Counter[tuple[str, str]]) -> Iterator[FacetUse]:
    for (entity, key), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        known = find(entity, key)
        understood = known is not None and known.read is not None
        yield FacetUse(entity, key, count, known.use if known else None, understood)
