"""The vocabulary in which the company is described: datasets, flows between them, jobs.

A flow is written as a short text, one line for each column of its output::

    fct_payments <- raw_payments raw_refunds
    payment_id = raw_payments.payment_id          (= copied, ~ transformed, + aggregated, # masked)
    refunded_eur + raw_refunds.amount
    @JOIN raw_payments.payment_id raw_refunds.payment_id

``* = other`` copies every column that both sides have. An input ``a!2026-05-25`` is read until that day, an input
``a-2026-06-22`` is not read on that day. A column ``channel@2026-05-12:varchar(12)`` exists from that day on, a column
``quantity!2026-06-02:integer`` until it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

How = Literal["IDENTITY", "TRANSFORMATION", "AGGREGATION", "MASKED"]
HOW: dict[str, How] = {"=": "IDENTITY", "~": "TRANSFORMATION", "+": "AGGREGATION", "#": "MASKED"}
FOREVER = date.max


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and the days on which it exists (half-open)."""

    name: str
    type: str
    since: date = date.min
    until: date = FOREVER


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset of the company. ``table`` is its name in the metastore when a path is its own name."""

    key: str
    namespace: str
    name: str
    owner: str | None
    description: str | None
    columns: tuple[Column, ...]
    pii: dict[str, str]
    tags: dict[str, str]
    rows: int
    table: tuple[str, str] | None = None

    @property
    def id(self) -> str:
        """Node text of the name under which answers print it: the table's where there is one."""
        namespace, name = self.table or (self.namespace, self.name)
        return f"dataset:{namespace}:{name}"

    def column_id(self, column: str) -> str:
        """Node text of one column, under the name under which answers print the dataset."""
        namespace, name = self.table or (self.namespace, self.name)
        return f"column:{namespace}:{name}:{column}"

    def columns_on(self, day: date) -> tuple[Column, ...]:
        """Columns that exist on ``day``."""
        return tuple(c for c in self.columns if c.since <= day < c.until)


@dataclass(frozen=True, slots=True)
class Use:
    """One column that is read, and how."""

    dataset: str
    column: str
    how: str


@dataclass(frozen=True, slots=True)
class Input:
    """One dataset that a flow reads until ``until``, except on the days of ``skipped``."""

    dataset: str
    until: date = FOREVER
    skipped: tuple[date, ...] = ()

    def read_on(self, day: date) -> bool:
        """Whether a run of ``day`` reads it."""
        return day < self.until and day not in self.skipped


@dataclass(frozen=True, slots=True)
class Flow:
    """What one job does to one output. ``rows`` are the columns that decide which rows come out."""

    output: str
    inputs: tuple[Input, ...]
    columns: tuple[tuple[str, tuple[Use, ...]], ...]
    rows: tuple[Use, ...]

    def inputs_on(self, day: date) -> tuple[str, ...]:
        """Datasets that a run of ``day`` reads."""
        return tuple(i.dataset for i in self.inputs if i.read_on(day))

    def columns_on(self, day: date, datasets: dict[str, Dataset]) -> Iterator[tuple[str, tuple[Use, ...]]]:
        """Columns of the output with what they are made of on ``day``; those made of nothing are left out."""
        read = set(self.inputs_on(day))
        existing = {key: {c.name for c in datasets[key].columns_on(day)} for key in (self.output, *read)}
        for column, uses in self.columns:
            live = tuple(u for u in uses if u.dataset in read and u.column in existing[u.dataset])
            if live and column in existing[self.output]:
                yield column, live

    def rows_on(self, day: date) -> tuple[Use, ...]:
        """Columns that decide the rows on ``day``."""
        read = set(self.inputs_on(day))
        return tuple(u for u in self.rows if u.dataset in read)


Style = Literal["airflow", "spark", "stream", "cdc", "dbt", "test", "bi", "sync"]
Detail = Literal["columns", "none", "explicit"]


@dataclass(frozen=True, slots=True)
class Job:
    """One job. ``detail`` is what its producer tells: column lineage, inputs and outputs only, or explicit lineage."""

    key: str
    style: Style
    namespace: str
    name: str
    cadence: str
    at: tuple[int, int]
    minutes: float
    flows: tuple[Flow, ...]
    owner: str | None = None
    description: str | None = None
    detail: Detail = "columns"
    path: str = ""
    since: date = date.min
    until: date = FOREVER
    tests: tuple[tuple[str, str, str], ...] = ()
    reads: str = ""

    @property
    def id(self) -> str:
        """Node text."""
        return f"job:{self.namespace}:{self.name}"

    def inputs_on(self, day: date) -> tuple[str, ...]:
        """Every dataset that a run of ``day`` reads, each once."""
        keys = [key for flow in self.flows for key in flow.inputs_on(day)]
        return tuple(dict.fromkeys([*keys, self.reads] if self.reads else keys))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Every dataset it writes."""
        return tuple(flow.output for flow in self.flows)


_COLUMN = re.compile(r"(\w+)(?:@([\d-]{10}))?(?:!([\d-]{10}))?:(\S+)")


def columns(text: str) -> tuple[Column, ...]:
    """Read ``name:type`` words.

    >>> columns("a:int b@2026-05-12:text")[1].since.isoformat()
    '2026-05-12'
    """
    found = []
    for word in text.split():
        match = _COLUMN.fullmatch(word)
        if match is None:
            raise ValueError(f"no column: {word}")
        name, since, until, kind = match.groups()
        found.append(
            Column(
                name,
                kind,
                date.fromisoformat(since) if since else date.min,
                date.fromisoformat(until) if until else FOREVER,
            )
        )
    return tuple(found)


def flow(text: str, datasets: dict[str, Dataset]) -> Flow:
    """Read the text of one flow (see the top of this module) and check every name in it."""
    head, *lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    output, _, sources = head.partition("<-")
    target = datasets[output.strip()]
    inputs = tuple(_input(word) for word in sources.split())
    made: dict[str, tuple[Use, ...]] = {}
    rows: list[Use] = []
    for line in lines:
        word, *rest = line.split()
        if word.startswith("@"):
            rows += [_use(ref, word[1:], datasets) for ref in rest]
        elif word == "*":
            made |= _copies(target, datasets[rest[1]])
        else:
            made[word] = (*made.get(word, ()), *(_use(ref, HOW[rest[0]], datasets) for ref in rest[1:]))
    unknown = made.keys() - {c.name for c in target.columns}
    strangers = {u.dataset for uses in made.values() for u in uses} | {u.dataset for u in rows}
    strangers -= {i.dataset for i in inputs}
    if unknown or strangers or any(i.dataset not in datasets for i in inputs):
        raise ValueError(f"{head}: unknown columns {sorted(unknown)}, not among its inputs {sorted(strangers)}")
    return Flow(target.key, inputs, tuple(made.items()), tuple(rows))


def _input(word: str) -> Input:
    match = re.fullmatch(r"(\w+)(?:!([\d-]{10}))?((?:-\d{4}-\d\d-\d\d)*)", word)
    if match is None:
        raise ValueError(f"no input: {word}")
    key, until, skipped = match.groups()
    days = tuple(date.fromisoformat(text) for text in re.findall(r"\d{4}-\d\d-\d\d", skipped))
    return Input(key, date.fromisoformat(until) if until else FOREVER, days)


def _use(ref: str, how: str, datasets: dict[str, Dataset]) -> Use:
    key, _, column = ref.partition(".")
    if column not in {c.name for c in datasets[key].columns}:
        raise ValueError(f"{ref}: no such column")
    return Use(key, column, how)


def _copies(target: Dataset, source: Dataset) -> dict[str, tuple[Use, ...]]:
    names = {c.name for c in source.columns}
    return {c.name: (Use(source.key, c.name, "IDENTITY"),) for c in target.columns if c.name in names}
