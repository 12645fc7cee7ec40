"""What a change would do, for people, programs and pull requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lineage.contracts.changes import ContractChange, Severity
from lineage.contracts.newly import Clash
from lineage.shown import Shown

Finding = Literal["as formal", "really harmless", "really breaking", "cannot tell"]
EXIT = {"COSMETIC": 0, "SAFE": 0, "RISKY": 3, "BREAKING": 4}
TOO_SMALL = 5


@dataclass(frozen=True, slots=True)
class Consumer:
    """One node that a change reaches. ``contracts`` are those on it; ``why`` says how it is hurt."""

    id: str
    kind: str
    harm: str
    use: str
    reader: str
    hops: int
    certainty: str
    why: str
    path: tuple[str, ...]
    contracts: tuple[str, ...] = ()
    domain: str = ""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One change with what the graph says about it: ``real`` is its severity for those who really read.

    ``blind_spots`` say why nothing follows from nobody being found, ``taken`` that something has the new name already;
    they stand in ``notes`` too.
    """

    change: ContractChange
    real: Severity
    finding: Finding
    consumers: tuple[Consumer, ...] = ()
    notes: tuple[str, ...] = ()
    blind_spots: tuple[str, ...] = ()
    taken: str = ""


@dataclass(frozen=True, slots=True)
class ChangeReport(Shown):
    """Answer of ``meshline change``."""

    subject: str
    old_version: str
    new_version: str
    formal: Severity | None
    real: Severity | None
    required_bump: str
    bump: str | None
    bump_enough: bool
    governed: bool
    changes: tuple[Judged, ...]
    owners: tuple[str, ...]
    sign_off: tuple[str, ...]
    nobody: tuple[str, ...]
    steps: tuple[str, ...]
    notes: tuple[str, ...]
    as_of: datetime
    known_at: datetime
    generated_by: str = ""
    fingerprint: str = ""
    clashes: tuple[Clash, ...] = ()  # what policies would newly say

    @property
    def exit_code(self) -> int:
        """5 when the version's step is too small, else 4 for breaking, 3 for risky, 0 for the rest."""
        if not self.bump_enough:
            return TOO_SMALL
        return EXIT[self.real.value] if self.real else 0

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("formal", "real", "change", "place", "old", "new", "governed", "finding", "consumers")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per change."""
        return [
            (j.change.consumer.value, j.real.value, j.change.what, j.change.place, j.change.old, j.change.new,
             j.change.governed, j.finding, [c.id for c in j.consumers])
            for j in self.changes
        ]  # fmt: skip

    def title(self) -> str:
        """What would change."""
        versions = f" {self.old_version} → {self.new_version}" if self.new_version else ""
        return f"{self.subject}{versions}: {self.real.value if self.real else 'no change'}"

    def remarks(self) -> tuple[str, ...]:
        """Version, owners, steps."""
        lines = []
        if self.new_version:
            state = "enough" if self.bump_enough else "too small"
            lines.append(f"version step: {self.bump or 'back'}, required: {self.required_bump} ({state})")
        if self.governed:
            lines.append("a governed change: needs a steward's approval, not the author's")
        if self.sign_off:
            lines.append(f"sign-off: {', '.join(self.sign_off)}")
        lines += [f"nobody owns {one}" for one in self.nobody]
        for c in self.clashes:
            lines.append(c.told + (f" (waived by {c.waiver})" if c.waiver else ""))
        return (*lines, *self.steps, *self.notes)

    def reasons(self) -> tuple[str, ...]:
        """What the changes say for themselves; what policies say stands among the remarks."""
        told = {c.told for c in self.clashes}
        return tuple(dict.fromkeys(note for one in self.changes for note in one.notes if note not in told))

    def markdown(self) -> str:
        """For a comment on a pull request."""
        lines = [f"## {_cell(self.title())}", ""]
        if self.changes:
            lines += ["| change | where | formally | really | who is hit |", "|---|---|---|---|---|"]
        for one in self.changes:
            move = f"{one.change.what}: {one.change.old or '–'} → {one.change.new or '–'}"
            who = "<br>".join(f"{_code(c.id)} ({c.harm}, {_cell(c.owner or c.domain)})" for c in one.consumers[:10])
            more = f"<br>and {len(one.consumers) - 10} more" if len(one.consumers) > 10 else ""
            flag = " **G**" if one.change.governed else ""
            finding = "" if one.finding == "as formal" else f" ({one.finding})"
            lines.append(
                f"| {_cell(move)} | {_code(one.change.place)} | {one.change.consumer.value}{flag} "
                f"| {one.real.value}{finding} | {who}{more or ''} |"
            )
        lines += ["", *(f"- {_cell(line)}" for line in (*self.reasons(), *self.remarks()))]
        return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    """Text of a producer in a cell or a list: no new cell, no new line, no HTML.

    >>> _cell("<img src=x> a|b")
    '&lt;img src=x&gt; a\\\\|b'
    """
    for char, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(char, safe)
    return text


def _code(text: str) -> str:
    """Text between backticks, where HTML is plain text."""
    return "`" + text.replace("`", "ʹ").replace("|", "\\|").replace("\n", " ") + "`"
