"""The fields of questions that have an object of their own: ``lx.audit``, …

A part of :class:`lineage.engine.Lineage`, in a file of its own.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lineage.alerts.questions import Alerts
    from lineage.audit.questions import Audit
    from lineage.contracts.questions import ContractQuestions, ProductQuestions
    from lineage.cost.questions import Cost
    from lineage.engine import Lineage
    from lineage.feedback.questions import FeedbackQuestions
    from lineage.hand.aliases import Aliases
    from lineage.hand.edges import Edges
    from lineage.owners.questions import Owners
    from lineage.policies.access import Access
    from lineage.policies.questions import PolicyQuestions
    from lineage.policies.waiving import Waivers
    from lineage.quality.questions import Quality
    from lineage.report.asked import Reports
    from lineage.runs.questions import Runs
    from lineage.saved.questions import SavedViews
    from lineage.schemas.questions import Schemas
    from lineage.scorecards.questions import ScorecardQuestions
    from lineage.stops.questions import Stops
    from lineage.store import Store


class Fields:
    """One property per field."""

    @property
    def store(self) -> Store:
        """The open store."""
        raise NotImplementedError

    @property
    def audit(self) -> Audit:
        """Who did what: the log, its check, its signed checkpoints."""
        from lineage.audit.questions import Audit

        return Audit(cast("Lineage", self))

    @cached_property
    def cost(self) -> Cost:
        """What data costs: bills, attribution, budgets, waste."""
        from lineage.cost.questions import Cost

        return Cost(cast("Lineage", self))

    @property
    def quality(self) -> Quality:
        """How good data is: scores, the gate, incidents."""
        from lineage.quality.questions import Quality

        return Quality(cast("Lineage", self))

    @property
    def policies(self) -> PolicyQuestions:
        """Policies as code, and what they say of the mesh."""
        from lineage.policies.questions import PolicyQuestions

        return PolicyQuestions(cast("Lineage", self))

    @property
    def waivers(self) -> Waivers:
        """Exceptions from policies: asked for, approved by somebody else, ended."""
        from lineage.policies.waiving import Waivers

        return Waivers(cast("Lineage", self))

    @property
    def stops(self) -> Stops:
        """Where tags do not go on: asked for, approved by somebody else, ended."""
        from lineage.stops.questions import Stops

        return Stops(cast("Lineage", self))

    @property
    def access(self) -> Access:
        """Who may read which product, who asked, and who reads without being allowed to."""
        from lineage.policies.access import Access

        return Access(cast("Lineage", self))

    @property
    def alerts(self) -> Alerts:
        """What is told to people outside, by which way, and whether it arrived."""
        from lineage.alerts.questions import Alerts

        return Alerts(cast("Lineage", self))

    @property
    def aliases(self) -> Aliases:
        """Names of datasets: what joins them, what might, what people say."""
        from lineage.hand.aliases import Aliases

        return Aliases(cast("Lineage", self))

    @property
    def edges(self) -> Edges:
        """Edges by hand, and observed ones that were called wrong."""
        from lineage.hand.edges import Edges

        return Edges(cast("Lineage", self))

    @property
    def contracts(self) -> ContractQuestions:
        """Contracts: what they bind, whether they are kept, what a change of them would do."""
        from lineage.contracts.questions import ContractQuestions

        return ContractQuestions(cast("Lineage", self))

    @property
    def products(self) -> ProductQuestions:
        """Products: their datasets, consumers and drift."""
        from lineage.contracts.questions import ProductQuestions

        return ProductQuestions(cast("Lineage", self))

    @property
    def scorecards(self) -> ScorecardQuestions:
        """How well the mesh is governed: figures with the rows behind them, at any instant."""
        from lineage.scorecards.questions import ScorecardQuestions

        return ScorecardQuestions(cast("Lineage", self))

    @property
    def feedback(self) -> FeedbackQuestions:
        """What consumers say of products, and what owners answer."""
        from lineage.feedback.questions import FeedbackQuestions

        return FeedbackQuestions(cast("Lineage", self))

    @property
    def reports(self) -> Reports:
        """The report for people who decide."""
        from lineage.report.asked import Reports

        return Reports(cast("Lineage", self))

    @property
    def owners(self) -> Owners:
        """Owners that people named by hand."""
        from lineage.owners.questions import Owners

        return Owners(cast("Lineage", self))

    @property
    def saved(self) -> SavedViews:
        """Views of the dashboard that somebody saved."""
        from lineage.saved.questions import SavedViews

        return SavedViews(cast("Lineage", self))

    @property
    def runs(self) -> Runs:
        """Runs one by one."""
        from lineage.runs.questions import Runs

        return Runs(cast("Lineage", self))

    @property
    def schemas(self) -> Schemas:
        """Versions of the schemas of datasets."""
        from lineage.schemas.questions import Schemas

        return Schemas(cast("Lineage", self))
