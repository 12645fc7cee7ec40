"""Tiles and figures of the cost page; each leads to the rows behind it."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from decimal import Decimal

from dash import dcc, html

from dashboard import charts
from dashboard.amounts import money
from dashboard.charts import AREAS, Area
from dashboard.desk import clock, node_link, plain, tile
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.cost_facts import CostFacts
from dashboard.pages.overview_parts import card, nothing
from lineage.cost.answers import BudgetState

_FLOWS = 30
_DRAWN = 60
_APART = ("unallocated", "idle")


def tiles(facts: CostFacts) -> list[Part]:
    """The numbers at the top."""
    asked, currency, found = facts.asked, facts.currency, facts.of("domain")
    if found is None:
        return [
            tile("coin", label, "unknown", facts.unbilled, asked.to())
            for label in ("Billed", "Not allocated", "Unused")
        ]
    months = facts.months()
    before = facts.of("domain", months[-2]) if len(months) > 1 else None
    savings = facts.waste().savings.get(found.currency)
    unused = [one for one in facts.waste().unread if one.currency == currency]
    borders = facts.showback()
    moved = sum((Decimal(one.amount) for one in (borders.subsidies if borders else ())), Decimal())
    bad = [one for one in facts.budgets().budgets if one.state in ("over", "forecast over")]
    share = Decimal(found.unallocated) / Decimal(found.billed) if Decimal(found.billed) else Decimal()
    return [
        tile("coin", f"Billed in {facts.month}", money(found.billed, currency),
             _change(found.billed, before) + _so_far(facts),
             asked.to(view=None), name="count-billed"),
        tile("help", "Not allocated", money(found.unallocated, currency), f"{100 * share:.1f} % of the bill, or idle",
             asked.to(view=None, by="domain", filter="kind:equals:unallocated", sort="own:desc"),
             bad=share > Decimal("0.05"), name="count-unallocated"),
        tile("eye-off", "Unused, per month", money(savings, currency) if savings else money("0", currency),
             f"{len(unused):,} datasets nobody read for {facts.waste().days} days", asked.to(view="waste"),
             bad=bool(unused), name="count-unused"),
        tile("route", "Carried for others", money(str(moved), currency), "crosses a border between domains",
             asked.to(view="subsidies"), name="count-subsidies"),
        tile("target", "Budgets over", f"{len(bad):,}", f"of {len(facts.budgets().budgets):,}, spent or by forecast",
             asked.to(view="budgets", filter="state:contains:over"), bad=bool(bad), name="count-budgets"),
    ]  # fmt: skip


def _no_bill(facts: CostFacts) -> str:
    return f"{facts.unbilled.capitalize()}, so no cost is known."


def _change(billed: str, before: object) -> str:
    then = getattr(before, "billed", None)
    if then is None or not Decimal(then):
        return "month before unknown"
    return f"{100 * (Decimal(billed) / Decimal(then) - 1):+.1f} % against the month before"


def _so_far(facts: CostFacts) -> str:
    """A month that is not over is not to be compared without a word."""
    known = [one.until for one in facts.budgets().budgets if one.until]
    last = max(known, default=None)
    year, month = (int(part) for part in facts.month.split("-"))
    over = last is None or int(last[8:10]) >= monthrange(year, month)[1]
    return "" if over else f"; complete until {last}"


def tree(facts: CostFacts) -> Part:
    """Domains, in them products, in them datasets; what is in no product, and what is unallocated, is drawn too."""
    title = "Where the money goes"
    more = dcc.Link("All datasets", href=facts.asked.to(view=None, by=None))
    found = facts.of("dataset")
    if found is None:
        return card(title, "", nothing("coin", _no_bill(facts), html.Code("meshline cost import FILE")), more=more)
    areas = areas_of(facts)
    if not areas:
        return card(title, "", nothing("coin", "Nothing here has a cost of its own."), more=more)
    total = sum(a.value for a in areas if not a.parent)
    sub = f"Own cost {facts.month}: domain → product → dataset; click to go in"
    said = f"Own cost by domain, product and dataset, {money(str(total), found.currency)} in all."
    return card(title, sub, charts.treemap("cost-treemap", areas, found.currency, said, 400), more=more, name="tree")


def areas_of(facts: CostFacts) -> list[Area]:
    """The parts of the tree map; what is around others is exactly as large as what is in it."""
    places = facts.domains_of()
    product_of = {node: name for name, (_, nodes) in facts.products().items() for node in nodes}
    leaves: dict[tuple[str, str], list[tuple[str, str, float]]] = defaultdict(list)
    own = sorted(((r, float(r.own or 0)) for r in facts.rows("dataset")), key=lambda pair: -pair[1])
    rest: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row, amount in own:
        if amount <= 0:
            continue
        domain = places.get(row.id) or (row.id if row.kind in ("domain", *_APART) else "not placed")
        place = (domain, product_of.get(row.id, "") if row.kind == "dataset" else f"· {row.kind}")
        if sum(map(len, leaves.values())) < _DRAWN:
            leaves[place].append((row.id, short_id(row.id)[0] or row.id, amount))
        else:
            rest[place].append(amount)
    for place, amounts in rest.items():
        leaves[place].append((f"rest of {place}", f"{len(amounts):,} more", sum(amounts)))
    return _areas(leaves)


def _areas(leaves: dict[tuple[str, str], list[tuple[str, str, float]]]) -> list[Area]:
    found: list[Area] = []
    domains = sorted({domain for domain, _ in leaves})
    for n, domain in enumerate(domains):
        mine = {product: parts for (d, product), parts in leaves.items() if d == domain}
        colour = "#c4c9d6" if domain in _APART else AREAS[n % (len(AREAS) - 1)]
        whole = sum(v for parts in mine.values() for _, _, v in parts)
        found.append(Area(f"domain {domain}", domain, "", whole, "#e6e9f1"))  # light in both schemes, for dark words
        for product, parts in mine.items():
            around = f"domain {domain}"
            if product and not product.startswith("·"):
                inner = f"{around} product {product}"
                found.append(Area(inner, product, around, sum(v for *_, v in parts), "#d7dce8"))
                around = inner
            found += [Area(f"{around} {id}", name, around, v, colour, id) for id, name, v in parts]
    return found


def months(facts: CostFacts) -> Part:
    """Bills of six months, allocated and not."""
    title, currency = "Month over month", facts.currency
    more = dcc.Link("Odd days", href=facts.asked.to(view="odd"))
    if currency is None:
        return card(title, "", nothing("coin", _no_bill(facts)), more=more)
    periods = facts.months()
    placed: list[float | None] = []
    open_: list[float | None] = []
    for period in periods:
        found = facts.of("domain", period)
        placed.append(float(Decimal(found.billed) - Decimal(found.unallocated)) if found else None)
        open_.append(float(found.unallocated) if found else None)
    series = [("allocated", placed, charts.BLUE), ("not allocated", open_, charts.ORANGE)]
    keys = html.Div(
        [html.Span([html.Span(className="swatch", style={"background": c}), w]) for w, _, c in series],
        className="keys",
    )  # fmt: skip
    odd = facts.budgets().anomalies
    notes = [html.Li([html.B(f"{one.day}: "), f"{one.scope} {one.service} cost {money(one.observed, one.currency)}, "
                      f"expected {money(one.expected, one.currency)}"]) for one in odd[:3]]  # fmt: skip
    body = charts.months("cost-months-chart", periods, series, currency, 270)
    return card(title, f"Billed, {currency}; {len(odd):,} odd day{'s' if len(odd) != 1 else ''} this month", body, keys,
                html.Ul(notes, className="short"), more=more)  # fmt: skip


def budgets(facts: CostFacts) -> Part:
    """Each budget as a track: spent, the band of the forecast, and the limit."""
    found = facts.budgets()
    more = dcc.Link(f"All {len(found.budgets):,}", href=facts.asked.to(view="budgets"))
    sub = f"{found.period}, {found.metric}; hatched is where the month will end (80 of 100)"
    if not found.budgets:
        text = "No budget is declared for this month."
        return card("Budgets", sub, nothing("target", text, html.Code("meshline apply budgets/")), more=more)
    if any(one.spent is None for one in found.budgets):
        return card("Budgets", sub, nothing("target", _no_bill(facts)), more=more)
    order = {"over": 0, "forecast over": 1, "warned": 2, "ok": 3}
    listed = sorted(found.budgets, key=lambda one: (order.get(one.state, 4), -(one.spent_percent or 0)))
    return card("Budgets", sub, *(_budget(one) for one in listed[:6]), more=more, name="budget-card")


def _budget(one: BudgetState) -> Part:
    amount, spent = float(one.amount), float(one.spent or 0)
    high = float(one.forecast_high or spent)
    whole = max(amount, high, spent) * 1.06 or 1.0
    tone = {"over": "bad", "forecast over": "warn", "warned": "warn"}.get(one.state, "good")

    def at(value: float) -> str:
        return f"{100 * value / whole:.2f}%"

    low = max(float(one.forecast_low or spent), spent)
    band = [html.Span(className="budget-band", style={"left": at(spent), "width": at(max(high - spent, 0.0))})]
    forecast = "forecast unknown: too few days" if one.forecast is None else (
        f"forecast {money(one.forecast, one.currency)} ({money(str(low), one.currency)}–"
        f"{money(one.forecast_high, one.currency)})"
    )  # fmt: skip
    track = [html.Span(className=f"budget-spent{' over' if spent > amount else ''}", style={"width": at(spent)}), *band,
             html.Span(className="budget-limit", style={"left": at(amount)})]  # fmt: skip
    return html.Div(
        [
            html.Div([html.Span([html.B(one.name), html.Span(f" {one.scope}", className="muted")]),
                      html.Span(one.state, className=f"pill {tone}")], className="board-line"),
            html.Div(track, className="budget-track", **{"aria-hidden": "true"}),
            html.Div(f"{money(one.spent, one.currency)} of {money(one.amount, one.currency)} spent "
                     f"({one.spent_percent:.0f} %), {forecast}", className="muted small"),
        ],
        className="budget",
    )  # fmt: skip


def flow(facts: CostFacts) -> Part:
    """What domains pay and others use."""
    title, found = "Cost carried for others", facts.showback()
    more = dcc.Link("All subsidies", href=facts.asked.to(view="subsidies"))
    listed = [s for s in (found.subsidies if found else ())
              if not facts.domain or facts.domain in (s.payer, s.user)]  # fmt: skip
    if not listed or facts.currency is None:
        text = _no_bill(facts) if facts.currency is None else "No domain pays for another here."
        return card(title, "", nothing("route", text), more=more)
    drawn = sorted(listed, key=lambda s: -Decimal(s.amount))[:_FLOWS]
    flows = [(s.payer, s.user, float(s.amount)) for s in drawn]
    sub = "Left pays, right uses" + (f"; the {_FLOWS} largest of {len(listed):,}" if len(listed) > _FLOWS else "")
    total = money(str(sum(v for *_, v in flows)), facts.currency)
    said = f"{total} cross borders between domains: " + ", ".join(
        f"{a} pays {money(str(v), facts.currency)} for {b}" for a, b, v in flows[:8]
    )
    return card(title, sub, charts.sankey("cost-sankey", flows, facts.currency, said), more=more, name="flow-card")


def unused(facts: CostFacts) -> Part:
    """The dearest things that nobody uses, with what can go with them."""
    found = facts.waste()
    listed = [one for one in found.unread if one.currency == facts.currency
              and (not facts.domain or one.domain == facts.domain)]  # fmt: skip
    more = dcc.Link(f"All {len(listed):,}", href=facts.asked.to(view="waste"))
    title = "Unused but expensive"
    if facts.currency is None:
        return card(title, "", nothing("coin", _no_bill(facts)), more=more)
    if not listed:
        return card(title, "", nothing("circle-check", "Nothing that costs is unused."), more=more)
    top = sorted(listed, key=lambda one: -Decimal(one.saving_per_month))[:6]
    saved = found.savings.get(facts.currency or "", "0")
    sub = f"Nobody read these for {found.days} days; {money(saved, facts.currency)} a month, shared parts counted once"
    rows = [
        (
            node_link(facts.asked, one.id), one.domain, money(one.saving_per_month, one.currency),
            money(one.own_per_month, one.currency), clock(one.last_read) if one.last_read else "never seen",
            " → ".join(short_id(node)[0] for node in one.remove_in_order[:5]),
            html.Span("still tested", className="pill warn") if one.tested else "",
        )
        for one in top
    ]  # fmt: skip
    heads = (("Dataset", False), ("Domain", False), ("Saving / month", True), ("Own / month", True),
             ("Last read", False), ("Remove in this order", False), ("Tests", False))  # fmt: skip
    return card(title, sub, plain(heads, rows, title), more=more, name="unused-card")


def explained(facts: CostFacts) -> Part:
    """Own, inherited and full cost of the node that is explained, and who it came from and went to."""
    found = facts.explain()
    if found is None:
        return None
    parts: list[Part] = []
    for one in found.currencies:
        numbers = [(money(one.own, one.currency), "own: the rows below"),
                   (money(one.inherited, one.currency), "inherited"), (money(one.full, one.currency), "full"),
                   (money(one.charged_back, one.currency), "charged back")]  # fmt: skip
        parts.append(html.Div([html.Div([html.Span(n, className="big"), w]) for n, w in numbers], className="counts"))
        for words, nodes in (("from", one.inherited_from), ("passed on to", one.passed_on_to)):
            items = [html.Li([node_link(facts.asked, n.id), f" {money(n.amount, one.currency)}"]) for n in nodes[:8]]
            if items:
                parts.append(html.Div([html.Span(words, className="muted small"), html.Ul(items, className="names")]))
    text = f"{found.run_count:,} runs in {found.period}" + "".join(f" · {gap}" for gap in found.gaps)
    return html.Div([*parts, html.Div(text, className="muted small")])
