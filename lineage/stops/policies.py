"""Policies that look at tags are asked again when a stop was approved or ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.actor import Actor
    from lineage.engine import Lineage

_RUN = "SELECT DISTINCT policy FROM policy_run"


def record_again(lineage: Lineage, actor: Actor) -> None:
    """Keep what they say now, of those that hold and whose results were kept before."""
    from lineage.policies.load import policies_of
    from lineage.policies.views import named

    recorded = {row[0] for row in lineage.store.rows(_RUN)}
    if not recorded:
        return
    view = lineage.view()
    for policy in policies_of(lineage.store, view.as_of, view.known_at).policies:
        if policy.id in recorded and "column_tag" in named([policy]):
            lineage.policies.record(policy.id, actor=actor)
