"""How a figure was made, as a story: the runs in the order in which they happened. Pure functions over answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.details import ColumnInfo
from lineage.pictured import Picture, PictureColumnEdge, PictureEdge, PictureNode

if TYPE_CHECKING:
    from lineage.audit.pack.differences import Evidence
    from lineage.quality.answers import QualityRow
    from lineage.run_trail import RunStep

_NEVER = datetime(1, 1, 1)  # noqa: DTZ001 - all times of the store are UTC without saying so
RECENT = timedelta(hours=36)
"""What ended longer than that before the last step stands in the margin: its true place would squeeze the rest."""


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it is told; ``number`` counts from the sources to the figure."""

    number: int
    step: RunStep
    quality: QualityRow | None
    passed: int
    failed: tuple[str, ...]  # names of the tests that failed then

    @property
    def ended(self) -> datetime | None:
        """When what it wrote was complete; a stream has no such time."""
        return self.step.ended_at

    @property
    def anchor(self) -> str:
        """Id of its place on the page."""
        return f"step-{self.number}"


@dataclass(frozen=True, slots=True)
class Bar:
    """A step on the timeline, in percent of its width; ``early`` is how much older than the last step it is."""

    told: Told
    left: float
    width: float
    early: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the page tells about one node at one instant."""

    evidence: Evidence
    steps: tuple[Told, ...]
    sources: tuple[str, ...]  # datasets at which the trail ends
    gaps: tuple[str, ...]
    begin: datetime | None = None
    end: datetime | None = None
    bars: tuple[Bar, ...] = ()
    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (dataset, run id) → number

    @property
    def owners(self) -> dict[str, int]:
        """Steps of each owner, the most first; what nobody owns counts under an empty name."""
        counts: dict[str, int] = {}
        for told in self.steps:
            counts[told.step.owner or ""] = counts.get(told.step.owner or "", 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def tests(self) -> tuple[int, int]:
        """Tests that passed and that failed then, of every dataset behind the figure and of itself."""
        states = [row["status"] for row in self.evidence.quality["tests"]]
        return states.count("pass"), states.count("fail")

    @property
    def oldest(self) -> Told | None:
        """The finished step that lies furthest back."""
        done = [told for told in self.steps if told.ended is not None]
        return min(done, key=lambda told: (told.ended, told.number), default=None)


def story(evidence: Evidence, scores: Mapping[str, QualityRow]) -> Story:
    """Put the steps in order and find where they begin.

    Parameters
    ----------
    evidence
        what the query layer says of the node.
    scores
        quality of datasets at that instant.
    """
    trail = evidence.trail
    ordered = sorted(trail.steps, key=lambda s: (-s.hops, _when(s), s.dataset, s.run_id))
    ordered.sort(key=_when)
    if trail.steps:  # what was asked for ends the story, whatever its clock says
        last = trail.steps[0]
        ordered = [step for step in ordered if step is not last] + [last]
    told = tuple(_told(n, step, evidence, scores) for n, step in enumerate(ordered, 1))
    made = {step.dataset for step in trail.steps}
    read = dict.fromkeys(read.dataset for step in ordered for read in step.inputs)
    gaps = tuple(dict.fromkeys([*trail.blind_spots, *evidence.answer.blind_spots, *evidence.answer.notes]))
    begin, end, bars = _bars(told)
    return Story(
        evidence=evidence,
        steps=told,
        sources=tuple(name for name in read if name not in made),
        gaps=gaps,
        begin=begin,
        end=end,
        bars=bars,
        numbers={(one.step.dataset, one.step.run_id): one.number for one in told},
    )


def _when(step: RunStep) -> datetime:
    return step.ended_at or step.started_at or _NEVER


def _told(number: int, step: RunStep, evidence: Evidence, scores: Mapping[str, QualityRow]) -> Told:
    tests = [row for row in evidence.quality["tests"] if row["dataset"] == step.dataset]
    failed = tuple(str(row["test"]) for row in tests if row["status"] == "fail")
    passed = sum(1 for row in tests if row["status"] == "pass")
    return Told(number, step, scores.get(step.dataset), passed, failed)


def _bars(steps: tuple[Told, ...]) -> tuple[datetime | None, datetime | None, tuple[Bar, ...]]:
    """Places of the steps between the first recent one and the last; older ones stand in the margin."""
    ends = [told.ended for told in steps if told.ended is not None]
    if not ends:
        return None, None, tuple(Bar(told, 0, 0) for told in steps)
    end = max(ends)
    recent = [told for told in steps if told.ended is not None and told.ended >= end - RECENT]
    begin = min(told.step.started_at or told.ended or end for told in recent)
    begin = max(begin, end - RECENT)
    span = max((end - begin).total_seconds(), 1.0)

    def place(at: datetime) -> float:
        return round(min(max((at - begin).total_seconds() / span, 0.0), 1.0) * 100, 2)

    bars = []
    for told in steps:
        done, started = told.ended, told.step.started_at
        if done is None:  # it was still running: a stream
            bars.append(Bar(told, place(started or begin), 100 - place(started or begin)))
        elif done < begin:
            bars.append(Bar(told, 0, 0, end - done))
        else:
            left = place(started or done)
            bars.append(Bar(told, left, max(place(done) - left, 0)))
    return begin, end, tuple(bars)


def picture(tale: Story) -> Picture:
    """The runs' datasets and what they read, as the canvas draws them; columns when a column was asked for."""
    trail, keys = tale.evidence.trail, tale.evidence.answer.keys or {}
    steps = {step.dataset: step for step in reversed(trail.steps)}  # of several versions the nearest
    hops = {step.dataset: step.hops for step in reversed(trail.steps)}
    domains = {name: step.domain for name, step in steps.items()}
    for step in trail.steps:
        for read in step.inputs:
            hops.setdefault(read.dataset, step.hops + 1)
            domains.setdefault(read.dataset, read.domain)
    lines = {(use.src, use.dst): use for step in trail.steps for read in step.inputs for use in read.columns}
    traced = trail.node.startswith("column:")
    columns = _columns(lines, keys) if traced else {}
    certainty = {(link.src, link.dst): link.certainty for link in tale.evidence.answer.links or ()}
    first = trail.steps[0].dataset if trail.steps else trail.node
    nodes = [_card(name, hops[name], steps.get(name), domains[name], keys, columns.get(name, {})) for name in hops]
    pairs = {(read.dataset, step.dataset): step for step in trail.steps for read in step.inputs}
    edges = tuple(
        PictureEdge(src, dst, "run", certainty.get((src, dst), "certain"), (step.job,))
        for (src, dst), step in sorted(pairs.items(), key=lambda item: item[0])
    )
    drawn = tuple(
        PictureColumnEdge(*_end(use.src, keys), *_end(use.dst, keys), use.type, use.subtype, use.masking, "certain")
        for _, use in sorted(lines.items())
        if traced
    )
    cards = tuple(sorted(nodes, key=lambda n: (n.hops, n.id)))
    return Picture(first, cards, edges, drawn, trail.as_of, trail.known_at, trail.partial)


def _end(text: str, keys: Mapping[str, tuple[str, str, str, str]]) -> tuple[str, str]:
    """Dataset and column of the text of a column; of a dataset no column."""
    if text.startswith("column:"):
        if text in keys:
            _, namespace, name, column = keys[text]
            return f"dataset:{namespace}:{name}", column
        home, _, column = text.removeprefix("column:").rpartition(":")
        return f"dataset:{home}", column
    return text, ""


def _columns(
    lines: Mapping[Any, Any], keys: Mapping[str, tuple[str, str, str, str]]
) -> dict[str, dict[str, ColumnInfo]]:
    found: dict[str, dict[str, ColumnInfo]] = {}
    for src, dst in lines:
        for text in (src, dst):
            home, column = _end(text, keys)
            if column:
                up = sum(1 for _, into in lines if into == text)
                down = sum(1 for out, _ in lines if out == text)
                found.setdefault(home, {})[column] = ColumnInfo(text, column, upstream=up, downstream=down)
    return found


def _card(
    name: str,
    hops: int,
    step: RunStep | None,
    domain: str,
    keys: Mapping[str, tuple[str, str, str, str]],
    columns: Mapping[str, ColumnInfo],
) -> PictureNode:
    kind, namespace, short, _ = keys.get(name) or ("", "", "", "")
    if not kind:
        kind, _, rest = name.partition(":")
        namespace, _, short = rest.rpartition(":")
    hidden = kind not in ("dataset", "job")
    return PictureNode(
        id=name,
        kind="job" if kind == "job" else "dataset",
        namespace="" if hidden else namespace,
        name="hidden" if hidden else short,
        domain=domain,
        owner=step.owner if step else None,
        hops=hops,
        side="focus" if hops == 0 else "upstream",
        columns=tuple(columns[column] for column in sorted(columns)),
        column_count=len(columns),
        status=step.state if step else None,
        last_run_at=step.ended_at if step else None,
        hidden=hidden,
    )


def lasted(step: RunStep) -> str:
    """How long a run took, for people; empty when it is not known."""
    if step.started_at is None or step.ended_at is None:
        return ""
    return in_words(step.ended_at - step.started_at)


def in_words(span: timedelta) -> str:
    """A length of time with one unit, rounded down.

    >>> in_words(timedelta(seconds=317)), in_words(timedelta(days=14, hours=2)), in_words(timedelta(0))
    ('5 min', '14 d', '0 s')
    """
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size or (unit != "h" and seconds >= size):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
