"""The answers that the quality page is made of, each asked once for all its cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.desk import Asked, Desk

if TYPE_CHECKING:
    from lineage.domains import DomainInfo
    from lineage.overview import Summary
    from lineage.quality.answers import Incident, QualityRow
    from lineage.quality.drill import Drill
    from lineage.quality.history import Control, FreshRow, SeriesRow, Tested
    from lineage.quality.promises import PromiseRow

VIEWS = (
    ("scores", "Scores"), ("incidents", "Incidents"), ("tests", "Tests"), ("fresh", "Freshness"), ("series", "Series"),
    ("promises", "Promises"), ("drill", "Drill"),
)  # fmt: skip
BY = (("dataset", "Datasets"), ("product", "Products"), ("domain", "Domains"))
FAILURES = (("late", "it comes late"), ("wrong", "its values are wrong"), ("missing", "it has no rows"))


class QualityFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.domain = asked.get("domain")
        self.view = asked.get("view", [key for key, _ in VIEWS])
        self.by = asked.get("by", [key for key, _ in BY])
        self.failure = asked.get("failure", [key for key, _ in FAILURES])

    def mine(self, domain: str) -> bool:
        """Whether something of this domain is asked for."""
        return not self.domain or domain == self.domain

    def summary(self) -> Summary:
        """Counts of the mesh."""
        return self.desk.ask(self.asked, "summary", lambda: self.lx.summary(**self.asked.when))

    def domains(self) -> tuple[DomainInfo, ...]:
        """All domains."""
        return self.desk.ask(self.asked, "domains", lambda: tuple(self.lx.domains(**self.asked.when)))

    def scores(self, by: str) -> list[QualityRow]:
        """Scores, the worst first."""
        found = self.desk.ask(self.asked, ("quality", by), lambda: self.lx.quality.report(by, **self.asked.when).nodes)
        return [row for row in found if self.mine(row.domain)]

    def incidents(self) -> list[Incident]:
        """All incidents, the resolved ones too; what is open first."""
        found = self.desk.ask(
            self.asked, "incidents", lambda: self.lx.quality.incidents(everything=True, **self.asked.when).incidents
        )
        return [one for one in found if self.mine(one.domain)]

    def tests(self) -> list[Tested]:
        """Tests with their newest results, what fails first."""
        found = self.desk.ask(self.asked, "tests", lambda: self.lx.quality.tests(**self.asked.when).tests)
        return [one for one in found if self.mine(one.domain)]

    def fresh(self) -> list[FreshRow]:
        """How fresh datasets are, what is late first."""
        found = self.desk.ask(self.asked, "fresh", lambda: self.lx.quality.freshness(**self.asked.when).datasets)
        return [one for one in found if self.mine(one.domain)]

    def series(self) -> list[SeriesRow]:
        """Series of numbers, what is odd first."""
        found = self.desk.ask(self.asked, "series", lambda: self.lx.quality.metrics(**self.asked.when).series)
        return [one for one in found if self.mine(one.domain)]

    def promises(self) -> list[PromiseRow]:
        """Promises of freshness against history."""
        found = self.desk.ask(self.asked, "promises", lambda: self.lx.quality.promises(**self.asked.when).promises)
        domains = {row.id: row.domain for row in self.scores("dataset")} if self.domain else {}
        return [one for one in found if not self.domain or one.dataset in domains]

    def chosen(self) -> tuple[str, str, str] | None:
        """The series that is drawn: dataset, metric, column. By default what is odd, else the longest."""
        parts = self.asked.get("series").split("|")
        if len(parts) == 3:
            return parts[0], parts[1], parts[2]
        found = self.series()
        return (found[0].dataset, found[0].metric, found[0].column) if found else None

    def control(self, node: str, metric: str, column: str) -> Control:
        """One series, judged point by point."""
        key = ("control", node, metric, column)
        return self.desk.ask(self.asked, key, lambda: self.lx.quality.control(node, metric, column, **self.asked.when))

    def drill(self) -> Drill | None:
        """The failure that is played; ``None`` when no dataset was named."""
        node = self.asked.get("node")
        if not node:
            return None
        key = ("drill", node, self.failure)
        return self.desk.ask(self.asked, key, lambda: self.lx.quality.drill(node, self.failure, **self.asked.when))
