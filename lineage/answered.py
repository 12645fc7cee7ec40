"""What impact and provenance found, in the words of an actor, with how complete it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lineage.answers import Answer, Coverage
from lineage.behind import frontier
from lineage.dropped import dropped_notes
from lineage.filters import Filters, check_domains
from lineage.itself import circle_notes, jobs_of_circles
from lineage.levels import groups_of
from lineage.links import keys_of, links_among
from lineage.listed import bridge_links, listed, totals
from lineage.origin import ended_at
from lineage.reach import cut, open_runs, reach, without_writer

if TYPE_CHECKING:
    from lineage.reach import Asked, Reach
    from lineage.view import View

_NO_PRODUCTS = "No data product is declared in this database, so none can be listed."


def answer(view: View, reached: Reach, blind_here: Sequence[str], other_spots: Iterable[str], asked: Asked) -> Answer:
    """The answer in the words of an actor.

    Parameters
    ----------
    reached
        what was found.
    blind_here
        reasons why nothing can be concluded from an empty result; empty when "nothing" means nothing.
    other_spots
        blind spots further away.
    asked
        how it is wanted.
    """
    from lineage import __version__

    sources, filters = reached.sources, asked.filters
    check_domains(filters, [name for name in view.instant.domains.domains if view.actor.may_see(name)])
    everything = reached.found
    if filters.certainty:
        plain = Filters(kinds=filters.kinds)
        everything = reach(view, reached.origin, reached.direction, asked.deepest, plain, bridge=asked.bridge).found
    rows = listed(view, reached, asked)
    own = [*sources, *(c for i in sources for c in view.snapshot.columns_of(i).tolist())] if asked.links else []
    ends = [*own, *rows.kept] if asked.links else []
    links = links_among(view, set(ends)) if asked.links else None
    if links is not None and reached.group:  # those within the group are no part of what lies behind it
        inside = set(map(view.label, own))
        links = tuple(link for link in links if not {link.src, link.dst} <= inside)
    if links is not None and asked.bridge:
        links = (*links, *bridge_links(view, reached, rows.kept))
    lost = view.instant.horizon_notes
    behind = frontier(view, reached, asked, rows.keys, known=not lost)
    circles = circle_notes(view, sources, reached.direction)
    gone = dropped_notes(view, sources) if reached.direction == "downstream" and not reached.found else ()
    no_products = (_NO_PRODUCTS,) if filters.asks_for("product") and not groups_of(view.instant, "product") else ()
    return Answer(
        node=reached.label(view),
        direction=reached.direction,
        as_of=view.as_of,
        known_at=view.known_at,
        partial=bool(behind or lost),
        nodes=tuple(rows.rows),
        domain=reached.home(view),
        aliases=() if reached.group else view.aliases(sources[0]),
        sources=tuple(sorted(set(map(view.label, sources)))) if reached.group else (),
        # what was cut off is there: an answer that stops before it cannot say that there is nothing
        verdict="found" if everything or reached.behind else "blind" if blind_here or lost else "none",
        blind_spots=tuple(dict.fromkeys([*blind_here, *other_spots])),
        frontier=behind,
        coverage=_coverage(view, reached),
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
        filters={name: list(getattr(filters, name)) for name in ("kinds", "domains", "certainty")},
        limits=asked.limits,
        unfiltered=view.count(everything),
        totals=totals(rows.rows, partial=behind is not None),
        notes=(*lost, *no_products, *cut(circles), *gone),
        itself=jobs_of_circles(view, sources) if circles else (),
        links=links,
        keys=keys_of(view, ends) if asked.links else None,
    )


def _coverage(view: View, reached: Reach) -> Coverage:
    jobs = _jobs(view, reached)
    unparsed = view.instant.unparsed_sql
    bare: list[int] = []
    if reached.direction == "upstream":
        bare = [i for i in without_writer(view, _datasets(view, reached)) if not view.hidden(i)]
    return Coverage(
        edges=reached.edges,
        certain_edges=reached.certain_edges,
        datasets_without_writer=_labels(view, bare),
        runs_without_end=open_runs(view, jobs),
        unparsed_sql=sum(job in unparsed and not view.hidden(job) for job in jobs) if unparsed else 0,
        datasets_whose_writer_left=_labels(view, ended_at(view, bare, "dst", "lineage", "write")),
    )


def _labels(view: View, nodes: Iterable[int]) -> tuple[str, ...]:
    return tuple(sorted({view.label(i) for i in nodes}))


def _datasets(view: View, reached: Reach) -> list[int]:
    """Datasets of an answer; of a column answer those of its columns."""
    if reached.level != "column":
        return reached.of_kind(view, "dataset")
    nodes = (i for i in (*reached.sources, *reached.found) if view.kind(i) != "job")
    return sorted({view.snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in nodes})


def _jobs(view: View, reached: Reach) -> set[int]:
    """Jobs of an answer; of a column answer those that write the datasets of its columns."""
    jobs = set(reached.of_kind(view, "job"))
    if reached.level == "column":
        ends = reached.found if reached.direction == "downstream" else [*reached.sources, *reached.found]
        owners = {view.snapshot.dataset_of(i) for i in ends if view.kind(i) == "column"}
        for dataset in owners:
            jobs.update(int(job) for job in view.snapshot.writers(dataset))
    return jobs
