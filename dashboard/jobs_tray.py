"""The jobs a person started, in a corner of every page: progress, cancel, download, retry.

The browser keeps the ids of its own jobs, so that they are there again after a navigation or a reload; what they are
doing is asked of the server only while one of them runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update, set_props
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from dashboard.jobs import Job, Jobs
from dashboard.page import Part, callback
from dashboard.theme import icon

if TYPE_CHECKING:
    from fastapi import FastAPI

TICK = 400  # milliseconds between two looks at a running job


def jobs_of(app: Dash) -> Jobs:
    """The jobs of a dashboard."""
    return cast("Jobs", app.server.state.jobs)


def started(job: Job) -> None:
    """Show a job that a callback has started to the person who asked.

    Not as an output: a button that is drawn anew would ask again, and the answer to that would take the place of this.
    """
    set_props("jobs-started", {"data": job.id})


def layout() -> Part:
    """The corner; empty until something is started."""
    return html.Div(
        [
            dcc.Store(id="jobs-mine", storage_type="local", data=[]),
            dcc.Store(id="jobs-started", data=None),
            dcc.Store(id="jobs-asked"),  # grows with every tick whose question is asked
            dcc.Store(id="jobs-pressed"),  # the last press on a button of the list
            dcc.Interval(id="jobs-tick", interval=TICK, disabled=True),
            html.Section(id="jobs-list", role="region", **{"aria-label": "Jobs"}),
        ],
        className="jobs-tray",
    )


def register(app: Dash, server: FastAPI, base: str) -> None:
    """Callbacks of the corner and the address of the files."""
    jobs = Jobs()
    server.state.jobs = jobs

    def download(request: Request) -> Response:
        found = jobs.file(request.path_params["id"])
        if found is None:
            return PlainTextResponse("This file is not kept any more. Start the job again.", 404)
        path, job = found
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(job.file)}",
            "Cache-Control": "no-store",
        }
        return FileResponse(path, media_type=job.media_type, headers=headers)

    server.add_api_route(f"{base}jobs/{{id}}/file", download, include_in_schema=False, response_model=None)

    _register_browser(app)

    @callback(
        app,
        Output("jobs-mine", "data"),
        Output("jobs-tick", "disabled"),
        Output("jobs-list", "children"),
        Input("jobs-started", "data"),
        Input("jobs-asked", "data"),
        Input("jobs-pressed", "data"),
        State("jobs-mine", "data"),
        hidden=True,
    )
    def show(begun: str | None, _asked: Any, pressed: Any, mine: list[str] | None) -> tuple[Any, ...]:
        kept = [id for id in (mine or []) if isinstance(id, str)]
        if begun and begun not in kept:
            kept.append(begun)
        if isinstance(pressed, dict) and pressed.get("job") in {*kept, *(job.id for job in jobs.those(kept))}:
            _act(jobs, pressed)
        found = jobs.those(kept)
        ids = [job.id for job in found]
        return (
            ids if ids != mine else no_update,
            not any(job.active for job in found),
            [_entry(job, base) for job in reversed(found)],
        )


def _register_browser(app: Dash) -> None:
    """What the browser keeps and when it asks, see ``assets/jobs.js``."""

    def clientside(name: str, *spec: object) -> None:
        app.clientside_callback(ClientsideFunction("jobs", name), *spec, prevent_initial_call=True)

    clientside(
        "mine", Output("jobs-mine", "data", allow_duplicate=True), Input("jobs-started", "data"),
        State("jobs-mine", "data"),
    )  # fmt: skip
    clientside("tick", Output("jobs-asked", "data"), Input("jobs-tick", "n_intervals"))
    clientside("told", Input("jobs-list", "children"))


def _act(jobs: Jobs, pressed: Mapping[str, Any]) -> None:
    """Carry out a press. It is said with every question until the next one, so each can be carried out twice."""
    do = {"cancel": jobs.cancel, "retry": jobs.retry, "forget": jobs.forget}.get(str(pressed.get("press")))
    if do is not None:
        do(str(pressed["job"]))


def press(job: Job, kind: str, label: str, mark: str, told: str) -> Part:
    """A button that does something to a job: ``kind`` is ``cancel``, ``retry`` or ``forget``.

    ``told`` is the Store that the press is written to.
    """
    said = {"data-job": job.id, "data-press": kind, "data-told": told, "aria-label": f"{label}: {job.title}"}
    return html.Button([icon(mark, size=15), label], type="button", className="btn small", **said)


_MARKS = {"done": ("circle-check", "good"), "failed": ("alert-triangle", "bad"), "cancelled": ("x", "")}


def _entry(job: Job, base: str) -> Part:
    def button(kind: str, mark: str, label: str) -> Part:
        return press(job, kind, label, mark, "jobs-pressed")

    tools: list[Part] = []
    if job.active:
        tools.append(button("cancel", "x", "Cancel"))
    else:
        if job.state == "done":
            tools.append(
                html.A(
                    [icon("download", size=15), f"Download {_size(job.size)}"],
                    href=f"{base}jobs/{job.id}/file",
                    className="btn small primary",
                    download=job.file,
                )
            )
        else:
            tools.append(button("retry", "refresh", "Try again"))
        tools.append(button("forget", "x", "Remove"))
    mark, tone = _MARKS.get(job.state, ("clock", ""))
    head = [html.Span(icon(mark, size=16), className=f"job-mark {tone}"), html.B(job.title)]
    error = html.Div([job.error, f" (error {job.error_id})"], className="job-error", role="alert")
    return html.Div(
        [
            html.Div(head, className="job-head"),
            progress_bar(job) if job.active else None,
            error if job.error else None,
            _notes(job.notes) if job.state == "done" else None,
            html.Div(tools, className="job-tools"),
        ],
        className=f"job {job.state}",
        **{"data-state": job.state},
    )


def progress_bar(job: Job) -> Part:
    """How far a job is."""
    share = round(100 * job.share)
    said = {"aria-valuenow": str(share), "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": job.title}
    bar = html.Div(html.I(style={"width": f"{share}%"}), className="job-bar", role="progressbar", **said)
    return html.Div(
        [bar, html.Div([html.Span(job.text), html.Span(f"{share} %", className="num")], className="job-text")]
    )


def _notes(notes: Sequence[tuple[str, str]]) -> Part:
    rows: list[Part] = []
    for label, text in notes:
        copy = dcc.Clipboard(content=text, title=f"Copy: {label}")
        rows.append(html.Div([html.Span(label, className="job-label"), html.Code(text), copy], className="job-note"))
    return html.Div(rows)


def _size(size: int) -> str:
    """Bytes for people.

    >>> _size(900), _size(2_500_000)
    ('(1 kB)', '(2.5 MB)')
    """
    return f"({size / 1e6:,.1f} MB)" if size >= 1_000_000 else f"({max(size / 1e3, 1):,.0f} kB)"
