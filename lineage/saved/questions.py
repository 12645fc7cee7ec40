"""``lx.saved``: views that somebody saved. The acts are the truth; what a view is now is what its last act says."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from lineage.actor import LOCAL, Actor
from lineage.audit import check_reason, record
from lineage.errors import MeshlineError, UsageError
from lineage.shown import Shown
from lineage.store.version import bump_version
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.view import View

TITLE = 120  # most characters of a title
ADDRESS = 4_000  # most characters of an address
_ADDRESS = re.compile(r"[a-z][a-z0-9-]*(\?[!-~]*)?|\?[!-~]*|")  # a page and its query, no other host, no script
_NODES = ("dataset:", "job:", "column:")
_ACTS = """
-- the newest act on each saved view until T as known at K, the newest first
SELECT view, arg_max(act, acted_at), arg_max(title, acted_at), arg_max(address, acted_at),
  arg_max(reason, acted_at), arg_max(actor, acted_at), max(acted_at), arg_min(actor, acted_at), min(acted_at)
FROM view_act WHERE acted_at <= $at AND acted_at <= $known GROUP BY view ORDER BY max(acted_at) DESC, view
"""


class UnknownSavedViewError(MeshlineError):
    """No saved view has this id."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class SavedView:
    """One view: a page with its query under a name."""

    id: str
    title: str
    address: str  # below the base of the server: ``lineage?focus=…``
    page: str  # '' for the first page
    reason: str
    actor: str  # who changed it last
    changed_at: datetime
    saved_by: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class SavedList(Shown):
    """Saved views, what changed last first."""

    views: tuple[SavedView, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "title", "address", "saved_by", "saved_at", "actor", "changed_at", "reason")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per view."""
        return [(v.id, v.title, v.address, v.saved_by, v.saved_at, v.actor, v.changed_at, v.reason) for v in self.views]

    def title(self) -> str:
        """How many there are."""
        return f"{len(self.views)} saved views"


class SavedViews:
    """Questions and acts; acts need a database that is open for writing."""

    def __init__(self, lx: Lineage) -> None:
        self._lx = lx

    def list(self, *, actor: Actor = LOCAL) -> SavedList:
        """Views that were saved and not removed; those that name what the actor may not see are left out."""
        view = self._lx.view(actor=actor)
        rows = view.store.rows(_ACTS, {"at": view.as_of, "known": view.known_at})
        found = []
        for id, act, title, address, reason, by, at, first, saved in rows:
            if act != "remove" and _may_see(view, address):
                page = address.partition("?")[0]
                found.append(SavedView(id, title, address, page, reason, by, at, first, saved))
        return SavedList(tuple(found))

    def get(self, id: str, *, actor: Actor = LOCAL) -> SavedView:
        """One view.

        Raises
        ------
        UnknownSavedViewError
            when there is none of this id, or the actor may not see what it names.
        """
        found = next((one for one in self.list(actor=actor).views if one.id == id), None)
        if found is None:
            raise UnknownSavedViewError(f"{id[:60]}: no saved view has this id; meshline views list names them.")
        return found

    def save(self, title: str, address: str, *, reason: str, actor: Actor = LOCAL) -> SavedView:
        """Keep an address under a name, for everybody.

        Parameters
        ----------
        address
            page and query, for instance ``cost?by=job``; a whole address of a server is not taken.

        Raises
        ------
        UsageError
            when title, address or reason are not usable.
        """
        id = f"view{secrets.token_hex(5)}"
        self._write(id, "save", read_title(title), read_address(address), reason, actor)
        return self.get(id, actor=actor)

    def change(
        self, id: str, *, title: str | None = None, address: str | None = None, reason: str, actor: Actor = LOCAL
    ) -> SavedView:
        """Give a view another name or address."""
        one = self.get(id, actor=actor)
        new = (read_title(title) if title else one.title, read_address(address) if address else one.address)
        if new == (one.title, one.address):
            raise UsageError(f"{id}: title and address are as they were.")
        self._write(id, "change", *new, reason, actor)
        return self.get(id, actor=actor)

    def remove(self, id: str, *, reason: str, actor: Actor = LOCAL) -> SavedList:
        """Take a view away; its acts stay in the log."""
        one = self.get(id, actor=actor)
        self._write(id, "remove", one.title, one.address, reason, actor)
        return self.list(actor=actor)

    def _write(self, id: str, act: str, title: str, address: str, reason: str, actor: Actor) -> None:
        check_reason(reason)
        now = utcnow()
        payload = {"title": title, "address": address, "reason": reason}
        with self._lx.store.transaction() as cursor:
            row = [id, act, title, address, reason, actor.name, now]
            cursor.execute("INSERT INTO view_act VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            record(cursor, actor=actor.name, action=f"view.{act}", resource=id, payload=payload, at=now)
            bump_version(cursor)


def read_title(text: str) -> str:
    """A title as it is kept.

    >>> read_title("  Late this week ")
    'Late this week'

    Raises
    ------
    UsageError
        when it is empty, too long or holds what cannot be printed.
    """
    title = " ".join(text.split())
    if not title or len(title) > TITLE or not title.isprintable():
        raise UsageError(f"title: 1 to {TITLE} printable characters are wanted.")
    return title


def read_address(text: str) -> str:
    """An address as it is kept: page and query, without the slash before it.

    >>> read_address("/cost?by=job")
    'cost?by=job'

    Raises
    ------
    UsageError
        for anything but a page of the dashboard and its query.
    """
    address = text.strip().removeprefix("/")
    if len(address) > ADDRESS or not _ADDRESS.fullmatch(address):
        raise UsageError("address: a page and its query are wanted, for instance cost?by=job; no other server.")
    return address


def _may_see(view: View, address: str) -> bool:
    """Whether an address names nothing that the actor may not see; what it names and is not there is not seen."""
    if not view.restricted:
        return True
    from lineage.asking import known_nodes

    values = parse_qsl(address.partition("?")[2], keep_blank_values=True)
    texts = [value for _, value in values if value.startswith(_NODES)]
    names = {value for _, value in values}
    if names & set(view.actor.hidden_domains):
        return False
    nodes = [node for text in texts for node in known_nodes(view, [text])]
    return len(nodes) == len(texts) and not any(view.hidden(i) for i in nodes)
