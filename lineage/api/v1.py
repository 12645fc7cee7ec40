"""``/api/v1``: the part of Marquez's API that reads. What it cannot do here says which way does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lineage import marquez_events as events
from lineage import marquez_pages as pages
from lineage.actor import Actor
from lineage.api.encoded import EncodedRoute
from lineage.engine import Lineage
from lineage.errors import MeshlineError
from lineage.marquez import DEPTH
from lineage.marquez_columns import column_lineage
from lineage.times import parse_instant, utcnow
from lineage.view import View

Limit = Annotated[int, Query(ge=0, le=10_000, description="Entries of a page")]
Offset = Annotated[int, Query(ge=0, description="Entries before it")]
Depth = Annotated[int, Query(ge=0, description="Steps")]
Time = Annotated[str | None, Query(description="Event time, like 2026-03-31T18:00:00Z")]
NodeId = Annotated[str, Query(alias="nodeId", description="`dataset:NAMESPACE:NAME` or `job:NAMESPACE:NAME`")]
States = Annotated[list[str] | None, Query(alias="lastRunStates", description="States of the newest run")]
Way = Annotated[Literal["desc", "asc"], Query(alias="sortDirection")]
GetView = Callable[[Request], View]
_WRITES = ("PUT", "POST", "DELETE")
_PATHS = (
    "/namespaces/{namespace}", "/sources/{source}", "/tags/{tag}",
    "/namespaces/{namespace}/datasets/{dataset}", "/namespaces/{namespace}/datasets/{dataset}/tags/{tag}",
    "/namespaces/{namespace}/datasets/{dataset}/fields/{field}/tags/{tag}",
    "/namespaces/{namespace}/jobs/{job}", "/namespaces/{namespace}/jobs/{job}/tags/{tag}",
    "/namespaces/{namespace}/jobs/{job}/runs", "/jobs/runs/{run_id}/{action}",
)  # fmt: skip


class NotWrittenHereError(MeshlineError):
    """Marquez's write paths: what they did is told by events and declared files."""

    status = 501


def build(get_lineage: Callable[[], Lineage], actor_of: Callable[[Request], Actor]) -> APIRouter:
    """Routes over one engine."""
    router = APIRouter(prefix="/api/v1", tags=["marquez"], route_class=EncodedRoute)

    def view(request: Request) -> View:
        return get_lineage().view(actor=actor_of(request))

    @router.get("/lineage", summary="Lineage graph around a dataset or job, in Marquez's shape")
    def lineage(
        request: Request,
        node_id: NodeId,
        depth: Annotated[int, Query(description="Hops from job to job over shared datasets")] = DEPTH,
    ) -> JSONResponse:
        return JSONResponse(get_lineage().marquez(node_id, depth=depth, actor=actor_of(request)))

    @router.get("/column-lineage", summary="Columns that those of a node come from, in Marquez's shape")
    def columns(
        request: Request,
        node_id: NodeId,
        depth: Depth = DEPTH,
        downstream: Annotated[bool, Query(alias="withDownstream")] = False,
    ) -> JSONResponse:
        from lineage.resolve import resolve

        found = view(request)
        return JSONResponse(column_lineage(found, resolve(found, node_id), depth, downstream))

    @router.get("/runlineage/upstream", summary="Runs that a run builds on")
    def run_lineage(request: Request, run_id: Annotated[str, Query(alias="runId")], depth: Depth = DEPTH) -> Any:
        return JSONResponse(pages.run_lineage(view(request), run_id, depth))

    _names(router, view)
    _datasets(router, view)
    _jobs(router, view)
    _events(router, view)
    for path in _PATHS:
        router.add_api_route(path, _refuse, methods=list(_WRITES), include_in_schema=False)
    return router


def _refuse(request: Request) -> JSONResponse:
    raise NotWrittenHereError(
        f"{request.method} {request.url.path}: nothing is written here. Jobs, runs, datasets, tags and sources are "
        "told by OpenLineage events (POST /api/v1/lineage: a DatasetEvent or JobEvent with the tags, ownership or "
        "dataSource facet; a lifecycleStateChange of DROP ends a dataset), owners of domains by files (meshline apply)."
    )


def _names(router: APIRouter, view: GetView) -> None:
    @router.get("/namespaces", summary="Namespaces of jobs and datasets")
    def namespaces(request: Request, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        found = pages.namespaces(view(request))
        return JSONResponse({"namespaces": pages.page(found, limit, offset), "totalCount": len(found)})

    @router.get("/namespaces/{namespace}", summary="One namespace")
    def namespace(request: Request, namespace: str) -> JSONResponse:
        return JSONResponse(pages.namespace(view(request), namespace))

    @router.get("/sources", summary="Data sources")
    def sources(request: Request, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        found = pages.sources(view(request))
        return JSONResponse({"sources": pages.page(found, limit, offset), "totalCount": len(found)})

    @router.get("/sources/{source}", summary="One data source")
    def source(request: Request, source: str) -> JSONResponse:
        return JSONResponse(pages.source(view(request), source))

    @router.get("/tags", summary="Tags")
    def tags(request: Request, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        found = pages.tags(view(request))
        return JSONResponse({"tags": pages.page(found, limit, offset), "totalCount": len(found)})


def _datasets(router: APIRouter, view: GetView) -> None:
    @router.get("/namespaces/{namespace}/datasets", summary="Datasets of a namespace")
    def datasets(request: Request, namespace: str, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        return JSONResponse(pages.datasets(view(request), namespace, limit, offset))

    @router.get("/namespaces/{namespace}/datasets/{dataset}", summary="One dataset")
    def dataset(request: Request, namespace: str, dataset: str) -> JSONResponse:
        found = view(request)
        node = pages.find_node(found, "dataset", namespace, dataset)
        return JSONResponse(pages.dataset_items(found, [node])[0])

    @router.get("/namespaces/{namespace}/datasets/{dataset}/versions", summary="Versions of a dataset")
    def versions(request: Request, namespace: str, dataset: str, limit: Limit = 100, offset: Offset = 0) -> Any:
        found = view(request)
        node = pages.find_node(found, "dataset", namespace, dataset)
        return JSONResponse(pages.dataset_versions(found, node, limit, offset))

    @router.get("/namespaces/{namespace}/datasets/{dataset}/versions/{version}", summary="One version of a dataset")
    def version(request: Request, namespace: str, dataset: str, version: str) -> JSONResponse:
        found = view(request)
        node = pages.find_node(found, "dataset", namespace, dataset)
        return JSONResponse(pages.dataset_version(found, node, version))


def _jobs(router: APIRouter, view: GetView) -> None:
    @router.get("/jobs", summary="Jobs of all namespaces")
    def all_jobs(request: Request, last: States = None, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        return JSONResponse(pages.jobs(view(request), None, last or (), limit, offset))

    @router.get("/namespaces/{namespace}/jobs", summary="Jobs of a namespace")
    def jobs(
        request: Request, namespace: str, last: States = None, limit: Limit = 100, offset: Offset = 0
    ) -> JSONResponse:
        return JSONResponse(pages.jobs(view(request), namespace, last or (), limit, offset))

    @router.get("/namespaces/{namespace}/jobs/{job}", summary="One job")
    def job(request: Request, namespace: str, job: str) -> JSONResponse:
        found = view(request)
        return JSONResponse(pages.job_items(found, [pages.find_node(found, "job", namespace, job)])[0])

    @router.get("/namespaces/{namespace}/jobs/{job}/versions", summary="Versions of a job")
    def versions(request: Request, namespace: str, job: str, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        found = view(request)
        items = pages.job_versions(found, pages.find_node(found, "job", namespace, job))
        return JSONResponse({"versions": pages.page(items, limit, offset), "totalCount": len(items)})

    @router.get("/namespaces/{namespace}/jobs/{job}/versions/{version}", summary="One version of a job")
    def version(request: Request, namespace: str, job: str, version: str) -> JSONResponse:
        found = view(request)
        items = pages.job_versions(found, pages.find_node(found, "job", namespace, job))
        item = next((item for item in items if item["version"] == version), None)
        if item is None:
            raise pages.NotThereError(f"The job “{job}” has no version {version}.")
        return JSONResponse(item)

    @router.get("/namespaces/{namespace}/jobs/{job}/runs", summary="Runs of a job")
    def runs(request: Request, namespace: str, job: str, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        found = view(request)
        return JSONResponse(pages.job_runs(found, pages.find_node(found, "job", namespace, job), limit, offset))

    @router.get("/jobs/runs/{run_id}", summary="One run")
    def run(request: Request, run_id: str) -> JSONResponse:
        return JSONResponse(pages.run(view(request), run_id))

    @router.get("/jobs/runs/{run_id}/facets", summary="Facets of a run or of its job")
    def facets(
        request: Request, run_id: str, of: Annotated[Literal["run", "job"], Query(alias="type")] = "run"
    ) -> JSONResponse:
        return JSONResponse(pages.facets(view(request), run_id, of))


def _events(router: APIRouter, view: GetView) -> None:
    def page(
        request: Request,
        namespace: str | None,
        before: str | None,
        after: str | None,
        way: str,
        limit: int,
        offset: int,
    ) -> JSONResponse:
        found = events.events(
            view(request), namespace, _time(before, "before"), _time(after, "after"), way != "asc", limit, offset
        )
        return JSONResponse(found)

    @router.get("/events/lineage", summary="Run events, secrets masked")
    def all_events(
        request: Request, before: Time = None, after: Time = None, sort: Way = "desc", limit: Limit = 100,
        offset: Offset = 0,
    ) -> JSONResponse:  # fmt: skip
        return page(request, None, before, after, sort, limit, offset)

    @router.get("/events", summary="Run events, as marquez-python asks for them")
    def events_(request: Request, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        return page(request, None, None, None, "desc", limit, offset)

    @router.get("/events/{namespace}", summary="Run events of a namespace of jobs, as marquez-python asks for them")
    def events_of(request: Request, namespace: str, limit: Limit = 100, offset: Offset = 0) -> JSONResponse:
        return page(request, namespace, None, None, "desc", limit, offset)

    @router.get("/search", summary="Jobs and datasets by a part of their name, in Marquez's shape")
    def search(
        request: Request,
        q: str,
        kind: Annotated[Literal["DATASET", "JOB"] | None, Query(alias="filter")] = None,
        sort: Literal["NAME", "UPDATE_AT"] = "NAME",
        namespace: str | None = None,
        before: Time = None,
        after: Time = None,
        limit: Limit = 10,
    ) -> JSONResponse:
        window = _time(before, "before"), _time(after, "after")
        return JSONResponse(events.search(view(request), q, kind, sort, namespace, *window, limit))

    @router.get("/stats/{of}", summary="Figures over the last day or week")
    def stats(
        request: Request,
        of: Literal["lineage-events", "jobs", "datasets", "sources"],
        period: Literal["DAY", "WEEK"] = "DAY",
        timezone: str = "UTC",
    ) -> JSONResponse:
        return JSONResponse(events.stats(view(request), of, period, timezone, utcnow()))


def _time(text: str | None, name: str) -> datetime | None:
    return parse_instant(text, name=name) if text else None
