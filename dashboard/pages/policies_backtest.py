"""The back-test of an edited policy: what it would have said over the past, as a job that leaves a file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update

from dashboard.jobs import Made, Progress
from dashboard.jobs_tray import jobs_of, started
from dashboard.page import Part, callback
from dashboard.pages.overview_parts import card
from dashboard.pages.policies_facts import PolicyFacts
from dashboard.rows import to_csv
from dashboard.tables import Column, cell
from dashboard.theme import icon
from lineage.errors import MeshlineError
from lineage.policies.backtest import Backtest, instants
from lineage.policies.load import parse_policy
from lineage.policies.model import Policy
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage

_STEPS = ("1d", "2d", "1w", "2w", "4w")
_TOLD = 3  # assets that are named beside the file


def as_file(one: Policy) -> str:
    """A policy as the text of a file, without its tests, to be edited.

    Examples
    --------
    >>> made = as_file(Policy("p", "1.0.0", "T", "low", "scheduled", "*", "SELECT 1 AS subject", "SELECT 2"))
    >>> parse_policy(made, "p.yaml").violation_sql.strip()
    'SELECT 2'
    """
    import yaml

    value: dict[str, Any] = {
        "id": one.id, "version": one.version, "title": one.title, "severity": one.severity, "stage": one.stage,
        "domain": one.domain, "owner": one.owner, "remediation_days": one.remediation_days,
        "description": one.description or None,
    }  # fmt: skip
    head = yaml.safe_dump({k: v for k, v in value.items() if v is not None}, sort_keys=False, allow_unicode=True)
    blocks = (("scope_sql", one.scope_sql), ("violation_sql", one.violation_sql))
    return head + "".join(f"{key}: |\n" + "".join(f"  {line}\n" for line in text.strip().splitlines())
                          for key, text in blocks)  # fmt: skip


def form(facts: PolicyFacts) -> Part:
    """The form: the policy that is shown, to be edited, and the span of time."""
    one = facts.policy()
    if one is None:
        return None
    now = facts.results().as_of
    fields = html.Div(
        [
            dmc.TextInput(id="policies-bt-from", label="From", value=f"{now - timedelta(weeks=12):%Y-%m-%d}",
                          description="a day or an instant, UTC"),
            dmc.TextInput(id="policies-bt-to", label="To", value=f"{now:%Y-%m-%d}", description="a day or an instant"),
            dmc.Select(id="policies-bt-step", label="Step", value="1w", data=list(_STEPS), allowDeselect=False,
                       description="each step is one state of the mesh"),
        ],
        className="backtest-span",
    )  # fmt: skip
    return card(
        "Back-test",
        "Edit the policy and see what it would have said; nothing is stored",
        html.Details(
            [
                html.Summary(f"Edit {one.id} and try it on the past"),
                html.Div(
                    [
                        dmc.Textarea(
                            id="policies-bt-text",
                            label="Policy, as in a file",
                            value=as_file(one),
                            autosize=True,
                            minRows=8,
                            maxRows=24,
                            className="mono",
                        ),
                        fields,
                        html.Div(
                            [
                                html.Button(
                                    [icon("player-play", size=16), "Run the back-test"],
                                    id="policies-bt-run",
                                    className="btn primary",
                                    type="button",
                                ),
                                html.Div(id="policies-bt-said", role="status", className="form-said"),
                            ],
                            className="form-end",
                        ),
                    ],
                    className="act-form",
                ),
            ],
            id="policies-bt-box",
        ),
        name="backtest-card",
    )


def register(app: Dash, lx: Lineage) -> None:
    """Callback that starts the job; what is wrong with the policy or the span is said at once."""

    @callback(
        app,
        Output("policies-bt-said", "children"),
        Input("policies-bt-run", "n_clicks"),
        State("policies-bt-text", "value"),
        State("policies-bt-from", "value"),
        State("policies-bt-to", "value"),
        State("policies-bt-step", "value"),
        prevent_initial_call=True,
    )
    def run(clicks: int | None, text: str | None, start: str | None, end: str | None, step: str | None) -> Any:
        if not clicks:
            return no_update
        try:
            policy = parse_policy(text or "", "edited.yaml")
            count = len(instants(start or None, end or None, step or "", utcnow()))
            job = jobs_of(app).start(
                f"Back-test of {policy.id}", lambda progress: make(lx, policy, start, end, step or "", count, progress)
            )
        except MeshlineError as error:
            return html.Span([icon("alert-triangle", size=16), str(error)], className="form-bad")
        started(job)
        return html.Span(f"Started: {count:,} instants.", className="form-good")


def make(
    lx: Lineage, policy: Policy, start: str | None, end: str | None, step: str, count: int, progress: Progress
) -> Made:
    """The job: every instant as a row, then every asset that would have violated."""
    progress(0.05, f"running at {count:,} instants")
    found = lx.policies.backtest(policy, start=start, end=end or None, step=step)
    progress(0.95, "writing the file")
    notes = [("Result", found.title())]
    notes += [("Asset", text) for text in found.remarks()[:_TOLD]]
    if len(found.spells) > _TOLD:
        notes.append(("More", f"{len(found.spells) - _TOLD:,} more assets are in the file"))
    return Made(f"backtest-{policy.id}.csv", written(found).encode(), "text/csv", tuple(notes))


def written(found: Backtest) -> str:
    """The file of a back-test: a table of instants, an empty line, a table of assets. Unknown is said, not zero."""
    heads = found.heads()
    rows = [dict(zip(heads, map(_shown, row), strict=True)) for row in found.rows()]
    spells = [
        {"subject": one.subject, "domain": one.domain, "first": cell(one.first), "until": cell(one.until) or "not yet",
         "days": one.days, "overdue": "yes" if one.overdue else "no", "message": one.message}
        for one in found.spells
    ]  # fmt: skip
    names = ("subject", "domain", "first", "until", "days", "overdue", "message")
    return (
        to_csv(rows, [Column(head, head, number=head not in ("at", "error")) for head in heads])
        + "\r\n"
        + to_csv(spells, [Column(name, name, number=name == "days") for name in names])
    )


def _shown(value: Any) -> Any:
    return None if value is None else cell(value)
