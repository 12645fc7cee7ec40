"""Forms that put right what events say: names, edges, owners. On the pages of administration and of one dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dash import Dash

from dashboard import forms
from dashboard.forms import Field, Values
from dashboard.page import Part
from dashboard.pages.govern import instant
from lineage.actor import Actor

if TYPE_CHECKING:
    from lineage.engine import Lineage

_HOW = "its text, or the unique end of a name"
_SINCE = "UTC, not later than now; empty: from now on"


def _field(key: str, label: str, values: Mapping[str, str], hint: str = _HOW) -> Field:
    return Field(key, label, hint=hint, value=values.get(key, ""))


def _names(values: Mapping[str, str]) -> tuple[Field, ...]:
    return _field("left", "One name", values), _field("right", "The other name", values)


def _ends(values: Mapping[str, str]) -> tuple[Field, ...]:
    return _field("source", "From", values), _field("target", "To", values)


def _since() -> Field:
    return Field("since", "Since", "time", required=False, hint=_SINCE)


def _owner(values: Mapping[str, str]) -> tuple[Field, ...]:
    return (_field("node", "Dataset or job", values), _field("owner", "Owner", values, "a person or a team"), _since())


def join(values: Mapping[str, str]) -> Part:
    """Two names are one dataset."""
    about = "Everything upstream of one is then upstream of everything downstream of the other. It can be undone."
    return forms.form("alias-join", "They are one dataset", about, _names(values), "Join the names")


def apart(values: Mapping[str, str]) -> Part:
    """Two names are two datasets."""
    about = "What was joined by hand is taken back; what evidence joins is kept apart, also from later evidence."
    return forms.form("alias-apart", "They are two datasets", about, _names(values), "Keep the names apart")


def reject(values: Mapping[str, str]) -> Part:
    """Two names that look alike are two datasets."""
    about = "They are suggested no more, and no later evidence joins them. It can be taken back under Names."
    return forms.form("alias-reject", "Not the same", about, _names(values), "Not the same")


def lift(values: Mapping[str, str]) -> Part:
    """Two names are no longer kept apart."""
    about = "Nothing is said of them any more: evidence and suggestions count again."
    return forms.form("alias-lift", "Take that back", about, _names(values), "Take it back")


def add_edge(values: Mapping[str, str]) -> Part:
    """An edge that nobody observed."""
    about = "Data flow from one to the other, whatever events say. An edge that was called wrong holds again."
    return forms.form("edge-add", "Add an edge", about, (*_ends(values), _since()), "Add the edge")


def wrong_edge(values: Mapping[str, str]) -> Part:
    """An edge that is wrong."""
    about = "No answer follows it any more; it stays in the store, called wrong. One that was added by hand goes."
    return forms.form("edge-wrong", "Mark an edge as wrong", about, _ends(values), "Mark as wrong")


def name_owner(values: Mapping[str, str]) -> Part:
    """Who owns a dataset or job."""
    about = "Goes before what events and domains tell."
    return forms.form("owner-set", "Name the owner", about, _owner(values), "Name the owner")


def clear_owner(values: Mapping[str, str]) -> Part:
    """The owner is whom events tell."""
    about = "What was said by hand is taken back; the owner is whom events tell."
    return forms.form("owner-clear", "Take back an owner", about, (_owner(values)[0],), "Take back")


def register(app: Dash, lx: Lineage) -> None:
    """Callbacks of the forms; each acts as the command line does."""

    def do_join(said: Values, actor: Actor) -> str:
        lx.aliases.add(said["left"], said["right"], reason=said["reason"], actor=actor)
        return f"{said['left']} and {said['right']} are one dataset. Keep the names apart to undo it."

    def do_apart(said: Values, actor: Actor) -> str:
        lx.aliases.remove(said["left"], said["right"], reason=said["reason"], actor=actor)
        return f"{said['left']} and {said['right']} are two datasets. Join the names to undo it."

    def do_reject(said: Values, actor: Actor) -> str:
        lx.aliases.reject(said["left"], said["right"], reason=said["reason"], actor=actor)
        return f"{said['left']} and {said['right']} are two datasets and suggested no more. Take it back under Names."

    def do_lift(said: Values, actor: Actor) -> str:
        lx.aliases.lift(said["left"], said["right"], reason=said["reason"], actor=actor)
        return f"Nobody keeps {said['left']} and {said['right']} apart any more."

    def do_add(said: Values, actor: Actor) -> str:
        since = instant(said["since"]) or None
        lx.edges.add(said["source"], said["target"], reason=said["reason"], since=since, actor=actor)
        return f"Data flow from {said['source']} to {said['target']}."

    def do_wrong(said: Values, actor: Actor) -> str:
        lx.edges.remove(said["source"], said["target"], reason=said["reason"], actor=actor)
        return f"No answer goes from {said['source']} to {said['target']} by that edge. Add it to undo that."

    def do_name(said: Values, actor: Actor) -> str:
        since = instant(said["since"]) or None
        lx.owners.set(said["node"], said["owner"], reason=said["reason"], since=since, actor=actor)
        return f"{said['owner']} owns {said['node']}."

    def do_clear(said: Values, actor: Actor) -> str:
        lx.owners.clear(said["node"], reason=said["reason"], actor=actor)
        return f"{said['node']} is owned by whom events tell."

    none: Mapping[str, str] = {}
    forms.register(app, "alias-join", _names(none), do_join, lx)
    forms.register(app, "alias-apart", _names(none), do_apart, lx)
    forms.register(app, "alias-reject", _names(none), do_reject, lx)
    forms.register(app, "alias-lift", _names(none), do_lift, lx)
    forms.register(app, "edge-add", (*_ends(none), _since()), do_add, lx)
    forms.register(app, "edge-wrong", _ends(none), do_wrong, lx)
    forms.register(app, "owner-set", _owner(none), do_name, lx)
    forms.register(app, "owner-clear", (_owner(none)[0],), do_clear, lx)
