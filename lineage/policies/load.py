"""Policies and waivers of one instant, and the library that Meshline ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import DeclarationError, MeshlineError, UsageError
from lineage.policies.files import POLICIES
from lineage.policies.model import Policy, Waiver, read_policy
from lineage.yamlfile import SUFFIXES, parse_declared

if TYPE_CHECKING:
    from lineage.store import Store

_POLICIES = """
-- policies at T as known at K
SELECT document FROM policy
WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known ORDER BY name
"""
_WAIVERS = """
-- waivers that hold or held at T as known at K; one that was taken back before it ended held only until then
SELECT name, policy, subject, approver, reason, least(expires, valid_to) FROM waiver
WHERE valid_from <= $at AND known_from <= $known AND known_to > $known
  AND lower(trim(approver)) <> lower(trim(requester)) AND (valid_to > $at OR valid_to >= expires)
ORDER BY name
"""


class UnknownPolicyError(MeshlineError):
    """No policy has this id."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Policies that hold. ``shipped``: none was applied, so these are those of the library."""

    policies: tuple[Policy, ...]
    shipped: bool

    def one(self, name: str) -> Policy:
        """The policy with an id.

        Raises
        ------
        UnknownPolicyError
            when there is none.
        """
        for policy in self.policies:
            if policy.id == name:
                return policy
        raise UnknownPolicyError(f"There is no policy “{name}”. meshline policies list names them.")


@cache
def library() -> tuple[Policy, ...]:
    """The policies that Meshline ships, by id."""
    return tuple(replace(parse_policy(text, name), shipped=True) for name, text in _files())


@cache
def _own_sql() -> frozenset[tuple[str, str]]:
    return frozenset((one.scope_sql, one.violation_sql) for one in library())


def is_own(policy: Policy) -> bool:
    """Whether the SQL of a policy is, word for word, that of one that Meshline ships: then it needs no wall.

    Who copies the library into a repository and alters owners, severities or deadlines has applied our SQL all the
    same; who alters a word of the SQL has not.
    """
    return (policy.scope_sql, policy.violation_sql) in _own_sql()


def write_library(directory: Path) -> tuple[Path, ...]:
    """Copy the shipped policies into ``directory/policies``; a file that is there is never replaced.

    Raises
    ------
    UsageError
        when one is there; nothing was written.
    """
    folder = directory / "policies"
    texts = {folder / name: text for name, text in _files()}
    for path in texts:
        if path.exists():
            raise UsageError(f"{path} is there already; it is left as it is.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return tuple(texts)


def parse_policy(text: str, path: str) -> Policy:
    """A policy from the text of a file.

    Raises
    ------
    DeclarationError
        with every problem of it.
    """
    file, problems = parse_declared(text, path)
    if file is None:
        raise DeclarationError(problems)
    item, problems = POLICIES.read(file)
    if item is None:
        raise DeclarationError(problems)
    return read_policy(str(item.columns["document"]))


def read_policies(paths: Sequence[str | Path]) -> tuple[Policy, ...]:
    """Policies of files, and of all YAML files below folders.

    Raises
    ------
    DeclarationError
        when one cannot be read or is no policy; with every problem of it.
    UsageError
        when a folder holds none.
    """
    found: list[Policy] = []
    for path in map(Path, paths):
        below = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file()) if path.is_dir() else [path]
        if not below:
            raise UsageError(f"{path}: no policy file lies in this folder.")
        for file in below:
            try:
                text = file.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is no text"
                raise DeclarationError([f"{file}: cannot be read: {why}."]) from None
            found.append(parse_policy(text, str(file)))
    return tuple(found)


def policies_of(store: Store, as_of: datetime, known_at: datetime) -> PolicySet:
    """The policies that were applied; when there are none, those of the library."""
    applied = tuple(read_policy(row[0]) for row in store.rows(_POLICIES, {"at": as_of, "known": known_at}))
    return PolicySet(applied or library(), not applied)


def waivers_of(store: Store, as_of: datetime, known_at: datetime) -> tuple[Waiver, ...]:
    """Waivers that hold or held until a time."""
    return tuple(Waiver(*row) for row in store.rows(_WAIVERS, {"at": as_of, "known": known_at}))


def _files() -> list[tuple[str, str]]:
    folder = resources.files("lineage.policies") / "library"
    return sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml"))
