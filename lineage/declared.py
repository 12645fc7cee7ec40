"""What people declare in files, brought into the store: ``meshline apply DIR`` (design rule 10).

``DIR`` holds one folder per kind of file (``domains/``); each kind is one entry of :data:`KINDS`. An application is all
or nothing: every file of the tree is read and checked first, every problem is reported with file and line, and only a
tree without problems changes the store, in one transaction. Every version is kept with its hash, its actor and both
clocks; a file that went away ends its last version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lineage.actor import LOCAL, Actor
from lineage.alerts.routes import ROUTES
from lineage.audit import Entry, record_all
from lineage.contracts.files import CONTRACTS
from lineage.contracts.together import check_together
from lineage.cost.budget_files import BUDGETS
from lineage.cost.rule_files import COST
from lineage.domain_files import DOMAINS
from lineage.errors import DeclarationError, UsageError
from lineage.policies.access_rules import ACCESS_RULES
from lineage.policies.files import GRANTS, POLICIES, WAIVERS
from lineage.policies.together import warn_of_unknown
from lineage.products import PRODUCTS
from lineage.stops.files import STOPS, warn_of_missing
from lineage.store import bump_version
from lineage.times import OPEN_END, utcnow
from lineage.yamlfile import SUFFIXES, Declared, DeclaredFile, read_declared

if TYPE_CHECKING:
    import duckdb

    from lineage.store import Store


class Kind(Protocol):
    """One kind of declared file."""

    folder: str  # its folder inside DIR
    table: str  # one row = one version; has name, path, hash, body, actor and both clocks

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The declared thing in a file, and what is wrong with it."""

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Problems that show only when all files of the kind (and the store) are seen together."""


KINDS: tuple[Kind, ...] = (
    DOMAINS,
    CONTRACTS,
    PRODUCTS,
    COST,
    BUDGETS,
    POLICIES,
    WAIVERS,
    GRANTS,
    ACCESS_RULES,
    ROUTES,
    STOPS,
)
"""Every kind that :func:`apply` reads."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the files and the store."""

    action: Literal["add", "change", "remove"]
    kind: str
    name: str
    path: str
    fields: tuple[str, ...] = ()  # what changed


@dataclass(frozen=True, slots=True)
class Plan:
    """What :func:`apply` did, or with ``dry_run`` would do."""

    directory: str
    actor: str
    at: datetime
    applied: bool
    added: tuple[Change, ...]
    changed: tuple[Change, ...]
    removed: tuple[Change, ...]
    unchanged: int
    ignored: tuple[str, ...] = ()  # files and folders in DIR that no kind reads
    warnings: tuple[str, ...] = ()  # what is odd but was accepted, each with file and line

    @property
    def empty(self) -> bool:
        """Whether files and store agree."""
        return not (self.added or self.changed or self.removed)

    def touches(self, *kinds: str) -> bool:
        """Whether something of these kinds (names of tables) is other than before."""
        return any(change.kind in kinds for change in (*self.added, *self.changed, *self.removed))


@dataclass
class _Step:
    """One row to end and one to write, for one name."""

    change: Change
    table: str
    old: dict[str, Any] | None
    new: Declared | None = field(default=None)


def apply(
    store: Store, directory: Path, *, dry_run: bool = False, actor: Actor = LOCAL, at: datetime | None = None
) -> Plan:
    """Bring the store in line with the files below ``directory``.

    Parameters
    ----------
    store
        where the versions are kept.
    directory
        folder with one sub-folder per kind. A kind whose sub-folder is missing is left alone; a file missing from an
        existing sub-folder is a removal.
    dry_run
        only say what would change.
    actor
        who does it; kept with every version.
    at
        when it is done (default: now); known time of the new versions, and valid time of undated ones.

    Raises
    ------
    UsageError
        when ``directory`` is no folder or holds nothing that can be applied.
    DeclarationError
        with every problem of every file; nothing was changed.
    """
    found, ignored = _folders(directory, KINDS)
    moment = at or utcnow()
    problems: list[str] = []
    steps: list[_Step] = []
    warnings: list[str] = []
    read: dict[str, list[Declared]] = {}
    unchanged = 0
    for kind, folder in found:
        items, wrong = _read_folder(kind, folder, directory)
        read[kind.folder] = items
        warnings += [line for item in items for line in item.warnings]
        problems += wrong or kind.check(items, store)
        mine, same = _compare(kind, items, store)
        steps += mine
        unchanged += same
    if not problems:
        problems, more = check_together(read, store, moment)
        warnings += [*more, *warn_of_unknown(read, store), *warn_of_missing(read, store)]
    if problems:
        raise DeclarationError(problems)
    if steps and not dry_run:
        with store.transaction() as cursor:
            for step in steps:
                _write(cursor, step, actor.name, moment)
            record_all(cursor, [_act(step, actor.name) for step in steps], at=moment)
            bump_version(cursor)
    changes = sorted((step.change for step in steps), key=lambda change: (change.kind, change.name))
    return Plan(
        directory=str(directory),
        actor=actor.name,
        at=moment,
        applied=not dry_run,
        added=tuple(change for change in changes if change.action == "add"),
        changed=tuple(change for change in changes if change.action == "change"),
        removed=tuple(change for change in changes if change.action == "remove"),
        unchanged=unchanged,
        ignored=tuple(ignored),
        warnings=tuple(warnings),
    )


def _folders(directory: Path, kinds: Sequence[Kind]) -> tuple[list[tuple[Kind, Path]], list[str]]:
    """The folder of each kind, and what else lies in ``directory``."""
    if not directory.is_dir():
        raise UsageError(f"{directory} is no folder; meshline apply wants the folder that holds domains/.")
    by_name = {kind.folder: kind for kind in kinds}
    if directory.resolve().name in by_name and not any((directory / name).is_dir() for name in by_name):
        return [(by_name[directory.resolve().name], directory)], []
    found: list[tuple[Kind, Path]] = []
    ignored: list[str] = []
    for entry in sorted(directory.iterdir()):
        if entry.is_dir() and entry.name in by_name:
            found.append((by_name[entry.name], entry))
        elif not entry.name.startswith(".") and (entry.is_dir() or entry.suffix in SUFFIXES):
            ignored.append(entry.name + ("/" if entry.is_dir() else ""))
    if not found:
        names = ", ".join(f"{name}/" for name in by_name)
        raise UsageError(f"{directory} holds none of the folders that can be applied: {names}.")
    return found, ignored


def _read_folder(kind: Kind, folder: Path, root: Path) -> tuple[list[Declared], list[str]]:
    """All things declared in one folder and below, and what is wrong with them."""
    items: list[Declared] = []
    problems: list[str] = []
    by_name: dict[str, str] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES and p.is_file()):
        file, wrong = read_declared(path, path.relative_to(root).as_posix())
        problems += wrong
        if file is None:
            continue
        item, wrong = kind.read(file)
        problems += wrong
        if item is None:
            continue
        if item.name in by_name:
            problems.append(file.problem(("name",), f"“{item.name}” is declared in {by_name[item.name]} too"))
            continue
        by_name[item.name] = file.path
        items.append(item)
    return items, problems


def _compare(kind: Kind, items: Sequence[Declared], store: Store) -> tuple[list[_Step], int]:
    """What must be done so that the open versions of a kind are those of the files."""
    # without a path it came from no file: a grant that was asked for and approved
    sql = f"SELECT * FROM {kind.table} WHERE known_to = ? AND valid_to = ? AND path <> ''"  # noqa: S608 - our own names
    with store.cursor() as cursor:
        cursor.execute(sql, [OPEN_END, OPEN_END])
        names = [column[0] for column in cursor.description]
        old = {row[names.index("name")]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    steps: list[_Step] = []
    for item in items:
        before = old.pop(item.name, None)
        if before is None:
            steps.append(_Step(Change("add", kind.table, item.name, item.file.path), kind.table, None, item))
        elif before["hash"] != item.file.hash:
            fields = tuple(sorted(key for key, value in item.columns.items() if before.get(key) != value))
            change = Change("change", kind.table, item.name, item.file.path, fields)
            steps.append(_Step(change, kind.table, before, item))
    for name, before in old.items():
        steps.append(_Step(Change("remove", kind.table, name, before["path"]), kind.table, before))
    changed_or_new = sum(1 for step in steps if step.new is not None)
    return steps, len(items) - changed_or_new


def _write(cursor: duckdb.DuckDBPyConnection, step: _Step, actor: str, at: datetime) -> None:
    """End the old version and write the new one; no row is altered but for the end of its known time."""
    start = (step.new.valid_from if step.new else None) or at
    if step.old is not None:
        cursor.execute(
            f"UPDATE {step.table} SET known_to = ? WHERE name = ? AND known_to = ? AND valid_to = ?",  # noqa: S608
            [at, step.old["name"], OPEN_END, OPEN_END],
        )
        if step.old["valid_from"] < start:
            _insert(cursor, step.table, {**step.old, "valid_to": start, "known_from": at})
    if step.new is not None:
        row = {
            **step.new.columns,
            "name": step.new.name,
            "path": step.new.file.path,
            "hash": step.new.file.hash,
            "body": step.new.file.text,
            "actor": actor,
            "valid_from": start,
            "valid_to": OPEN_END,
            "known_from": at,
            "known_to": OPEN_END,
        }
        _insert(cursor, step.table, row)


def _act(step: _Step, actor: str) -> Entry:
    """The act for the log: what happened to which file, with the hash of the new version."""
    payload = {"kind": step.change.kind, "name": step.change.name, "action": step.change.action}
    if step.new is not None:
        payload["hash"] = step.new.file.hash
    return Entry(actor, f"{step.table}.apply", step.change.path, payload)


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608
