"""What differs between two evidence packs: of two dates, or of what was known at two times."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import MeshlineError
from lineage.jsonable import to_json
from lineage.shown import Shown
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.answers import Answer
    from lineage.run_trail import RunTrail

_MANIFEST = "manifest.json"
_POLICIES = "policies.json"
_STOPS = "stops.json"
_LATER = (_POLICIES, _STOPS)  # packs of earlier versions have none


class PackError(MeshlineError):
    """A file is no evidence pack."""


@dataclass(frozen=True, slots=True)
class PackChange:
    """One difference. ``before`` and ``after`` are ``None`` where there is nothing."""

    what: Literal["run", "version", "code", "inputs", "owner", "test", "policy", "stop", "metric", "file",
                  "gap", "upstream"]  # fmt: skip
    subject: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a pack says of one node at one instant: runs, everything upstream, tests and metrics then."""

    trail: RunTrail
    answer: Answer
    quality: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PackDiff(Shown):
    """Everything that differs between two packs, in the order of the first."""

    node_before: str
    node_after: str
    as_of_before: str
    as_of_after: str
    known_before: str
    known_after: str
    changes: tuple[PackChange, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("what", "subject", "before", "after")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per difference."""
        return [(change.what, change.subject, change.before, change.after) for change in self.changes]

    def title(self) -> str:
        """What was compared."""
        return f"{self.node_before} as of {self.as_of_before} and {self.node_after} as of {self.as_of_after}"


def diff_packs(before: Path, after: Path) -> PackDiff:
    """Compare two packs; whether they are genuine is for their ``verify.py`` to say.

    Raises
    ------
    PackError
        when a file is no evidence pack.
    """
    one, two = _open(before), _open(after)
    for name in _LATER:
        if not (name in one and name in two):  # what one pack does not say did not change
            one.pop(name, None), two.pop(name, None)
    changes: list[PackChange] = []
    for kind, read in _SUBJECTS:
        changes += _compare(kind, dict(read(one)), dict(read(two)))
    first, second = one[_MANIFEST], two[_MANIFEST]
    return PackDiff(
        first["node"], second["node"], first["as_of"], second["as_of"], first["known_at"], second["known_at"],
        tuple(changes),
    )  # fmt: skip


def diff_evidence(before: Evidence, after: Evidence) -> tuple[PackChange, ...]:
    """The same comparison of what two packs would say, without making them; declared files are not compared."""
    one, two = (_as_pack(evidence) for evidence in (before, after))
    changes: list[PackChange] = []
    for kind, read in _SUBJECTS:
        changes += _compare(kind, dict(read(one)), dict(read(two)))
    return tuple(changes)


def _as_pack(evidence: Evidence) -> dict[str, Any]:
    gaps = list(dict.fromkeys([*evidence.trail.blind_spots, *evidence.answer.blind_spots]))
    return {
        _MANIFEST: {"members": [], "gaps": gaps, "as_of": iso(evidence.trail.as_of)},
        "runs.json": to_json(evidence.trail),
        "provenance.json": to_json(evidence.answer),
        "quality.json": to_json(evidence.quality),
    }


def _open(path: Path) -> dict[str, Any]:
    """The members that are compared, read as JSON."""
    try:
        with zipfile.ZipFile(path) as pack:
            names: tuple[str, ...] = (_MANIFEST, "runs.json", "provenance.json", "quality.json")
            names = (*names, *(name for name in _LATER if name in pack.namelist()))
            return {name: json.loads(pack.read(name)) for name in names}
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error.strerror}.") from None
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise PackError(
            f"{path} is no evidence pack ({error}). Make one with: meshline evidence NODE -o FILE"
        ) from None


def _compare(kind: Any, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[PackChange]:
    for subject in [*before, *(name for name in after if name not in before)]:
        if before.get(subject) != after.get(subject):
            yield PackChange(kind, subject, before.get(subject), after.get(subject))


Pairs = Iterator[tuple[str, str]]


def _runs(pack: dict[str, Any]) -> Pairs:
    for step in pack["runs.json"]["steps"]:
        yield step["dataset"], step["run_id"]


def _versions(pack: dict[str, Any]) -> Pairs:
    for step in pack["runs.json"]["steps"]:
        if step["version"]:
            yield step["dataset"], step["version"]


def _code(pack: dict[str, Any]) -> Pairs:
    for step in pack["runs.json"]["steps"]:
        code = step["code"] or {}
        told = [text for text in (code.get("url"), code.get("version")) if text]
        told += [f"SQL {step['sql_hash'][:12]}"] if step["sql_hash"] else []
        if told:
            yield step["job"], " ".join(told)


def _inputs(pack: dict[str, Any]) -> Pairs:
    for step in pack["runs.json"]["steps"]:
        yield step["dataset"], ", ".join(sorted({read["dataset"] for read in step["inputs"]}))


def _owners(pack: dict[str, Any]) -> Pairs:
    for step in pack["runs.json"]["steps"]:
        if step["owner"]:
            yield step["dataset"], step["owner"]


def _tests(pack: dict[str, Any]) -> Pairs:
    for test in pack["quality.json"]["tests"]:
        yield f"{test['test']} on {test['dataset']} {test['column'] or ''}".strip(), test["status"]


def _metrics(pack: dict[str, Any]) -> Pairs:
    for metric in pack["quality.json"]["metrics"]:
        yield f"{metric['metric']} of {metric['dataset']} {metric['column'] or ''}".strip(), str(metric["value"])


def _policies(pack: dict[str, Any]) -> Pairs:
    for one in pack.get(_POLICIES, {}).get("results", ()):
        yield f"{one['policy']} on {one['subject'] or 'everything'}", one["result"]


def _stops(pack: dict[str, Any]) -> Pairs:
    for one in pack.get(_STOPS, ()):
        yield f"{one['tag'] or 'every tag'} at {one['node']}", f"{one['id']}, approved by {one['approver']}"


def _files(pack: dict[str, Any]) -> Pairs:
    for member in pack[_MANIFEST]["members"]:
        if member["name"].startswith("declared/"):
            yield member["name"].removeprefix("declared/"), member["sha256"][:12]


def _gaps(pack: dict[str, Any]) -> Pairs:
    at = f" at {pack[_MANIFEST]['as_of']}"  # a gap that both dates have is one gap
    for gap in pack[_MANIFEST]["gaps"]:
        yield gap.replace(at, ""), "stated"


def _upstream(pack: dict[str, Any]) -> Pairs:
    for node in pack["provenance.json"]["nodes"]:
        yield node["id"], node["certainty"]


_SUBJECTS: tuple[tuple[str, Callable[[dict[str, Any]], Pairs]], ...] = (
    ("run", _runs),
    ("version", _versions),
    ("code", _code),
    ("inputs", _inputs),
    ("owner", _owners),
    ("test", _tests),
    ("policy", _policies),
    ("stop", _stops),
    ("metric", _metrics),
    ("file", _files),
    ("upstream", _upstream),
    ("gap", _gaps),
)
