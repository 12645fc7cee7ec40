"""Contracts by the names that people use for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.contracts.binding import bindings
from lineage.contracts.model import Contract
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.view import View


class UnknownContractError(MeshlineError):
    """No contract or product has this id or name."""

    exit_code = 2
    status = 404


def named(view: View, text: str) -> list[Contract]:
    """Contracts with an id or name (``ID@1`` for one major version) that the actor may see."""
    head, _, major = text.rpartition("@")
    name = head if head and major.isdigit() else text
    return [
        c
        for c in bindings(view.instant).contracts
        if name in (c.id, c.name) and (name == text or str(c.major) == major) and visible(view, c)
    ]


def visible(view: View, contract: Contract) -> bool:
    """Whether the actor may see a contract: its domain, and every dataset that it binds."""
    if not view.restricted:
        return True
    bound = bindings(view.instant).bound
    mine = [one.node for one in bound if one.contract.id == contract.id]
    return view.actor.may_see(contract.domain) and not any(view.hidden(node) for node in mine)
