"""What the impact page shows, out of the answers of the query layer: rows, owners, and the text to send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dashboard.pages.impact_state import ImpactState
from lineage.annotators import annotate
from lineage.contracts.changes import WORST
from lineage.contracts.report import ChangeReport, Consumer, Judged
from lineage.resolve import resolve

if TYPE_CHECKING:
    from lineage.engine import Lineage

_CENT = Decimal("0.01")
NULLABLE = "Nullable is judged like a change of type: whoever reads the column gets other data."


@dataclass(frozen=True, slots=True)
class Hit:
    """One consumer that one change reaches, with what contracts and cost say of it (``None`` is unknown)."""

    owner: str
    judged: Judged
    consumer: Consumer
    facts: dict[str, Any] | None

    def fact(self, name: str) -> Any:
        """One value of the facts."""
        return self.facts.get(name) if self.facts else None

    @property
    def cost(self) -> str:
        """Its full cost in a month, or that nobody knows."""
        full = self.fact("cost_full")
        if full is None:
            return "unknown"
        amount = Decimal(str(full))
        text = f"{amount:,.2f}" if amount == 0 or abs(amount) >= _CENT else str(full)  # what is little is not nothing
        return f"{text} {self.fact('cost_currency') or ''}".strip()

    @property
    def contract(self) -> str:
        """Contracts on it."""
        return ", ".join(self.consumer.contracts) or ("unknown" if self.facts is None else "none")

    @property
    def sla(self) -> str:
        """What is promised about its time."""
        return str(self.fact("sla") or ("unknown" if self.facts is None else "none"))


@dataclass(frozen=True, slots=True)
class Impact:
    """Answer of the page."""

    report: ChangeReport
    hits: tuple[Hit, ...]
    blind_spots: tuple[str, ...] = ()
    remark: str = ""

    @property
    def owners(self) -> dict[str, list[Hit]]:
        """Hits of each owner, those with the most consumers first."""
        found: dict[str, list[Hit]] = {}
        for hit in self.hits:
            found.setdefault(hit.owner, []).append(hit)
        return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))

    @property
    def by_hop(self) -> dict[int, int]:
        """Number of different consumers at each distance, the nearest way counts."""
        near: dict[str, int] = {}
        for hit in self.hits:
            near[hit.consumer.id] = min(hit.consumer.hops, near.get(hit.consumer.id, hit.consumer.hops))
        return dict(sorted(Counter(near.values()).items()))

    @property
    def consumers(self) -> int:
        """Number of different consumers."""
        return len({hit.consumer.id for hit in self.hits})


def ask(lx: Lineage, state: ImpactState) -> Impact:
    """The answer to what an address asks.

    Raises
    ------
    MeshlineError
        when a node is unknown or hidden, a contract is none, or the change makes no sense.
    """
    when: dict[str, Any] = {"as_of": state.as_of, "known_at": state.known_at}
    report = _report(lx, state, when)
    view = lx.view(**when)
    pairs = [(judged, consumer) for judged in report.changes for consumer in judged.consumers]
    nodes = {c.id: resolve(view, c.id) for _, c in pairs if not c.id.startswith("hidden (")}
    facts = dict(zip(nodes, annotate(view, list(nodes.values())), strict=True))
    hits = [Hit(c.owner or f"domain {c.domain}", judged, c, facts.get(c.id)) for judged, c in pairs]
    ordered = sorted(
        hits, key=lambda hit: (hit.owner, WORST.index(hit.judged.real), hit.consumer.hops, hit.consumer.id)
    )
    spots = dict.fromkeys(spot for judged in report.changes for spot in judged.blind_spots)
    return Impact(report, tuple(ordered), () if pairs else tuple(spots), NULLABLE if state.change == "nullable" else "")


def _report(lx: Lineage, state: ImpactState, when: dict[str, Any]) -> ChangeReport:
    node, change = state.target, state.change
    if change == "contract":
        return lx.contracts.change_text(state.document, **when)
    if change == "rename":
        return lx.contracts.change_nodes(rename={node: state.to}, **when)
    if change in ("retype", "nullable"):
        return lx.contracts.change_nodes(retype={node: state.to if change == "retype" else "nullable"}, **when)
    if change == "late":
        return lx.contracts.change_nodes(late={node: state.hours or 0.0}, **when)
    if change == "retire":
        return lx.contracts.change_nodes(retire=[node], **when)
    return lx.contracts.change_nodes(drop=[node], **when)


HEADS = ("Owner", "Consumer", "Why", "Change", "Contract", "SLA", "Cost a month", "Path")


def cells(hit: Hit) -> tuple[str, ...]:
    """One hit in the order of :data:`HEADS`."""
    c = hit.consumer
    place = f"{hit.judged.change.what} {hit.judged.change.place}"
    return (hit.owner, c.id, c.why, place, hit.contract, hit.sla, hit.cost, " → ".join(c.path))


def markdown(impact: Impact) -> str:
    """The text to send: the report as the command line writes it, then every consumer by owner."""
    lines = [impact.report.markdown()]
    lines += [f"- {_escaped(impact.remark)}\n"] if impact.remark else []
    if impact.hits:
        lines += ["### Who is reached\n", _row(HEADS), _row(["---"] * len(HEADS))]
        lines += [_row([_escaped(cell) for cell in cells(hit)]) for hit in impact.hits]
    return "\n".join(lines).rstrip() + "\n"


def _row(values: Sequence[str]) -> str:
    return f"| {' | '.join(values)} |"


def _escaped(text: str) -> str:
    plain = text.replace("\n", " ").replace("|", "\\|")
    return plain.replace("<", "&lt;")
