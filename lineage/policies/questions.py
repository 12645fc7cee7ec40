"""``lx.policies``: what the policies are, and what they say of the mesh."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.actor import LOCAL, Actor
from lineage.policies.answers import Check, Policies, PolicyRow, Tested
from lineage.policies.evaluate import evaluate_in, run_tests
from lineage.policies.load import PolicySet, is_own, library, policies_of, read_policies, waivers_of
from lineage.policies.model import SEVERITIES, Policy, PolicyResult
from lineage.policies.moment import moment
from lineage.policies.sandbox import Here, Sandbox
from lineage.policies.showing import Sieve, needed_for
from lineage.policies.views import fill, named
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.policies.backtest import Backtest
    from lineage.policies.groups import ViolationGroups
    from lineage.policies.recording import Recorded
    from lineage.policies.violations import Violation, Violations
    from lineage.view import View


class PolicyQuestions:
    """Questions about policies."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Policies:
        """The policies that hold; when none was applied, those of the library."""
        found = self._held(self._lineage.view(as_of, known_at, actor))
        return Policies(tuple(_row(one) for one in found.policies), found.shipped)

    def library(self) -> Policies:
        """The policies that Meshline ships."""
        return shipped()

    def show(self, policy: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Policy:
        """One policy with its SQL and its tests, applied or shipped.

        Raises
        ------
        UnknownPolicyError
            when there is none.
        """
        held = self._held(self._lineage.view(as_of, known_at, actor)).policies
        named = {one.id for one in held}
        return PolicySet((*held, *(one for one in library() if one.id not in named)), False).one(policy)

    def test(self, files: Sequence[str | Path] = (), *, actor: Actor = LOCAL) -> Tested:
        """The tests of policies in files or folders; without any, of those that hold.

        Raises
        ------
        DeclarationError
            when a file is no policy.
        UsageError
            when a folder holds none.
        """
        if files:
            policies = read_policies(files)
        else:
            policies = self._held(self._lineage.view(None, None, actor)).policies
        lacking = [
            one.id for one in policies if {bool(test.violations) for test in one.tests} != {True, False}
        ]  # fmt: skip
        return Tested(run_tests(policies), tuple(lacking))

    def check(
        self,
        policy: str | None = None,
        *,
        proposed: Sequence[Policy] = (),
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Check:
        """What the policies say of every asset.

        Parameters
        ----------
        policy
            id of the only one to run; default: all that hold.
        proposed
            policies to run in place of those that hold.

        Raises
        ------
        UnknownPolicyError
            when no policy has this id.
        """
        from lineage import __version__

        view = self._lineage.view(as_of, known_at, actor)
        held = PolicySet(tuple(proposed), False) if proposed else self._held(view)
        chosen = held.policies if policy is None else (held.one(policy),)
        results, sieve = run(view, chosen)
        rows = [finding for result in results for finding in sieve.findings(result)]
        rows.sort(key=lambda row: (-SEVERITIES.index(row.severity), row.policy, row.outcome, row.subject))
        return Check(
            as_of=view.as_of,
            known_at=view.known_at,
            library=held.shipped,
            policies=tuple(sieve.result(result) for result in results),
            findings=tuple(rows),
            generated_by=f"meshline {__version__}",
            fingerprint=view.instant.fingerprint,
        )

    def backtest(
        self, policy: Policy, *, start: When, end: When = None, step: str = "1d", actor: Actor = LOCAL
    ) -> Backtest:
        """What a proposed policy would have said over past states; see :mod:`lineage.policies.backtest`.

        Parameters
        ----------
        policy
            :func:`lineage.policies.load.parse_policy` reads one from a file. Nothing is stored.
        start, end
            first and last instant; ``end`` is now by default.
        step
            time between two instants, like ``12h``, ``1d`` or ``2w``.

        Raises
        ------
        UsageError
            when the period or the step makes no sense.
        """
        from lineage.policies.backtest import backtest, instants

        return backtest(self._lineage, policy, instants(start, end, step, utcnow()), actor)

    def record(
        self,
        policy: str | None = None,
        *,
        at: datetime | None = None,
        stage: str | None = None,
        subjects: Collection[str] | None = None,
        actor: Actor = LOCAL,
        sandbox: Sandbox | None = None,
    ) -> Recorded:
        """Run the policies that hold and keep what they say; see :func:`lineage.policies.recording.keep`.

        Parameters
        ----------
        policy
            id of the only one to run; default: all that hold.
        at
            the instant that they are held against, which is also when the results are said to be found (naive UTC);
            default: now. Instants have to come in order.
        stage
            run only policies of this stage.
        subjects
            keep only what is said of these assets; default: of all.
        sandbox
            a process to run SQL in that Meshline does not ship; who records several instants starts one for all.

        Raises
        ------
        UnknownPolicyError
            when no policy has this id.
        """
        from lineage.policies.recording import keep, said_by_others

        view = self._lineage.view(at)
        held = self._held(view)
        chosen = held.policies if policy is None else (held.one(policy),)
        results, _ = run(view, tuple(one for one in chosen if stage is None or one.stage == stage), sandbox)
        whole = policy is None and stage is None and subjects is None
        gone = said_by_others(self._lineage.store, [one.id for one in chosen]) if whole else ()
        return keep(self._lineage.store, results, actor=actor.name, now=at or utcnow(), subjects=subjects, gone=gone)

    def violations(
        self, *, everything: bool = False, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> Violations:
        """Violations that were recorded; ``everything``: also those that were fixed."""
        from lineage.policies.ledger import violations

        return violations(self._lineage.view(as_of, known_at, actor), everything=everything)

    def groups(
        self,
        *,
        everything: bool = False,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> ViolationGroups:
        """The same violations under their most upstream causes."""
        from lineage.policies.groups import grouped

        return grouped(self.violations(everything=everything, as_of=as_of, known_at=known_at, actor=actor))

    def violation(self, name: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Violation:
        """One violation with what people did about it.

        Raises
        ------
        UnknownViolationError
            when none has this id.
        """
        from lineage.policies.ledger import find

        return find(self._lineage.view(as_of, known_at, actor), name)

    def acknowledge(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> Violation:
        """Say that somebody looks after a violation."""
        from lineage.policies.ledger import act

        act(self._lineage.view(actor=actor), name, "acknowledge", None, reason)
        return self.violation(name, actor=actor)

    def assign(self, name: str, assignee: str, reason: str = "", *, actor: Actor = LOCAL) -> Violation:
        """Say who mends a violation."""
        from lineage.policies.ledger import act

        act(self._lineage.view(actor=actor), name, "assign", assignee, reason)
        return self.violation(name, actor=actor)

    def _held(self, view: View) -> PolicySet:
        found = policies_of(view.store, moment(view), view.known_at)
        seen = tuple(p for p in found.policies if p.domain == "*" or view.actor.may_see(p.domain))
        return PolicySet(seen, found.shipped)


def shipped() -> Policies:
    """The policies that Meshline ships, without a store."""
    return Policies(tuple(_row(one) for one in library()), False)


def run(
    view: View, policies: Sequence[Policy], outside: Sandbox | None = None
) -> tuple[tuple[PolicyResult, ...], Sieve]:
    """Results of policies over one instant, and what of them may be shown.

    SQL that Meshline ships runs in this process, any other in a process of its own; ``outside`` is such a process that
    is kept for several instants. All its tables are replaced.
    """
    if not policies:
        return (), Sieve(view, {})
    rest = tuple(one for one in policies if not is_own(one))
    own = tuple(one for one in policies if is_own(one))
    found: dict[int, PolicyResult] = {}  # by object: two files may propose one id
    with ExitStack() as stack:
        if rest:
            outside = outside or stack.enter_context(Sandbox({}))
            outside.warm()
        tables = fill(view, needed_for(view, policies))
        waivers, at = waivers_of(view.store, moment(view), view.known_at), moment(view)
        if own:
            here = stack.enter_context(Here(tables))
            found.update(zip(map(id, own), evaluate_in(here, tables, own, waivers, at), strict=True))
        if rest and outside is not None:
            outside.load(fill(view, named(rest)))  # no more than they name
            found.update(zip(map(id, rest), evaluate_in(outside, tables, rest, waivers, at), strict=True))
    return tuple(found[id(one)] for one in policies), Sieve(view, tables)


def _row(policy: Policy) -> PolicyRow:
    return PolicyRow(
        policy.id, policy.version, policy.title, policy.severity, policy.stage, policy.domain, policy.owner,
        policy.days, len(policy.tests), policy.shipped,
    )  # fmt: skip
