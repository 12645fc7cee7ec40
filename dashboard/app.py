"""Compose the dashboard: pages, frame, security headers, on a FastAPI server."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dash import Dash, html, set_props
from dash.backends._fastapi import get_current_request, reset_current_request, set_current_request
from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler

from dashboard import here, jobs_tray, live, shell
from dashboard.headers import PageHeaders
from dashboard.page import callback
from dashboard.pages import PAGES
from dashboard.still import spoken, stilled
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.engine import Lineage

log = logging.getLogger(__name__)
_ASSETS = Path(__file__).parent / "assets"

INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{%title%}</title>
    <link rel="icon" type="image/svg+xml" href="BASEassets/logo.svg?m=TIME">
    <script src="BASEassets/boot.js?m=TIME"></script>
    <link rel="preload" href="BASE_dash-layout" as="fetch" crossorigin>
    <link rel="preload" href="BASE_dash-dependencies" as="fetch" crossorigin>
    {%css%}
  </head>
  <body>
    {%app_entry%}
    <footer>
      {%config%}
      {%scripts%}
      {%renderer%}
    </footer>
  </body>
</html>"""


def create_dash(lx: Lineage, server: FastAPI | None = None, base_path: str = "/", banner: str | None = None) -> Dash:
    """The dashboard over one engine.

    Parameters
    ----------
    lx
        the engine whose answers the pages show.
    server
        FastAPI application to serve it; its other routes go first, so add those before. A new one by default.
        Callbacks run on its event loop: put :class:`dashboard.offload.Offload` before it.
    base_path
        path below which the dashboard lives, with a slash at both ends.
    banner
        a line above every page, for example that the data is a sample.

    Returns
    -------
    dash.Dash
        serve ``app.server`` with one process.
    """
    server = server or FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app = Dash(
        "dashboard",
        server=server,
        url_base_pathname=base_path,
        assets_folder=str(_ASSETS),
        assets_ignore=r"boot\.js",
        use_pages=False,
        enable_mcp=False,  # it would offer every callback as a tool, without authentication
        suppress_callback_exceptions=True,  # pages come and go
        title="Meshline",
        update_title=None,
        index_string=INDEX.replace("BASE", base_path).replace("TIME", f"{(_ASSETS / 'boot.js').stat().st_mtime:.0f}"),
        on_error=_report,
        add_log_handler=False,
    )
    app.backend.websocket_capability = False  # no page uses it; the browser would open one all the same
    app.layout = shell.layout(PAGES, base_path, banner)
    app.layout.children.append(jobs_tray.layout())
    jobs_tray.register(app, server, base_path)
    shell.register(app, lx, PAGES, base_path)
    _route(app, base_path)
    for page in PAGES:
        first = len(app._callback_list)
        page.register(app, lx, base_path)
        here.listen(app, first, page.path)
    live.serve(server, lx, base_path)
    _lay_out(app, stilled(app.layout, spoken(app)), base_path)
    _serve_pages(app, server, base_path)
    app._setup_server()  # Dash does it in the first request to /, too late for one that comes to another page
    server.add_middleware(PageHeaders, script_hashes=tuple(app.csp_hashes()), assets=f"{base_path}assets/")
    return app


def _route(app: Dash, base_path: str) -> None:
    """Fill ``#page`` with the frame of the page of an address; a callback without a query.

    A link within a page leaves its frame alone: a new one would throw away what stands in its controls, whose standard
    values would then be written into the address, over what the link asks for.
    """
    from dash import ClientsideFunction, Input, Output, State

    app.clientside_callback(
        ClientsideFunction("meshline", "moved"),
        Output("page-wanted", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        State("page", "data-path"),
    )

    @callback(
        app,
        Output("page", "children"),
        Output("page", "data-path"),
        Output("page-error", "children"),
        Input("page-wanted", "data"),
        prevent_initial_call=True,
    )
    def fill(wanted: dict[str, str | None]) -> tuple[Any, str, None]:
        pathname = wanted.get("pathname") or "/"
        found = _frame(pathname, wanted.get("search"), base_path)
        return found or not_found(pathname, base_path), pathname.rstrip("/"), None


def _frame(pathname: str, search: str | None, base_path: str) -> list[Any] | None:
    """The frame of the page of an address, with the part that says the address; ``None`` when there is no such page."""
    for page in PAGES:
        if (base_path + page.path.lstrip("/")).rstrip("/") == pathname.rstrip("/"):
            return [here.Here(here.name(page.path), pathname=pathname, search=search), page.layout()]
    return None


def _lay_out(app: Dash, whole: Any, base_path: str) -> None:
    """Give the document with the frame of its page in it, so that its callbacks ask at once, not after a second answer.

    The browser says in ``Referer`` which address it asks the layout for; without it the page is filled afterwards.
    """
    keep = spoken(app)

    def layout() -> Any:
        request = get_current_request() if app.backend.has_request_context() else None
        href = (request.headers.get("referer") or "") if request else ""
        try:
            address = urlsplit(href)
        except ValueError:
            return whole
        search = f"?{address.query}" if address.query else ""
        frame = _frame(address.path, search, base_path) if address.path else None
        if frame is None:
            return whole
        page = {"children": stilled(frame, keep), "data-path": address.path.rstrip("/")}
        # a Location that has to look for the address itself tells it late, over what a page has noted in it meanwhile
        url = {"pathname": address.path, "search": search, "href": href}
        return here.placed(whole, {"page": page, "url": url})

    app.layout = layout


def not_found(pathname: str, base_path: str) -> Any:
    """What an address without a page shows."""
    return html.Div(
        [
            html.H2("There is no page here"),
            html.P([html.Span(pathname, className="mono"), " is not an address of this dashboard."]),
            html.A("To the overview", href=base_path, className="btn primary"),
        ],
        className="hero",
    )


def _serve_pages(app: Dash, server: FastAPI, base_path: str) -> None:
    """Serve the document at the addresses of the pages, and with status 404 where a browser asks elsewhere.

    Dash would answer every unknown address with the document and status 200, also ``/health`` and the API's.
    """
    app.backend._setup_catchall = lambda: None

    async def document(request: Request, status: int = 200) -> Response:
        token = set_current_request(request)  # Dash's own routes do the same
        try:
            return Response(app.index(), media_type="text/html", status_code=status)
        finally:
            reset_current_request(token)

    async def page_route(request: Request) -> Response:
        return await document(request)

    for page in PAGES:
        if page.path != "/":
            server.add_api_route(base_path + page.path.lstrip("/"), page_route, include_in_schema=False)

    async def missing(request: Request, error: Any) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if wants_page and request.url.path.startswith(base_path):
            return await document(request, 404)
        return await http_exception_handler(request, error)

    server.exception_handlers.setdefault(404, missing)


def _report(error: Exception) -> None:
    """A callback failed: say so on the page, with a number that also stands in the log."""
    number = uuid.uuid4().hex[:8]
    if isinstance(error, MeshlineError):
        text = str(error)
    else:
        log.error("error %s in a callback", number, exc_info=error)
        text = f"Something went wrong here (error {number}; the log of the server has the details)."
    retry = html.A("Try again", href="")
    set_props("page-error", {"children": html.Div([text, retry], className="notice bad page-notice", role="alert")})
