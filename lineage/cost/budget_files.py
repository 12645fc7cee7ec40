"""The kind of file that declares budgets: ``budgets/*.yaml``.

.. code-block:: yaml

    name: finance                # id of the file
    budgets:
      - name: finance-month
        domain: finance          # or product: …, or dataset: …
        amount: "1200.00"        # per month
        currency: EUR
        owner: team:finance-data
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from lineage.cost.rule_files import unknown_keys
from lineage.times import parse_event_time
from lineage.yamlfile import Declared, DeclaredFile

if TYPE_CHECKING:
    from lineage.store import Store

SCOPES = ("domain", "product", "dataset")
_KEYS = ("name", *SCOPES, "amount", "currency", "owner", "since", "until")


class BudgetFiles:
    """The kind of file that declares budgets."""

    folder = "budgets"
    table = "budget"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The budgets in a file, and what is wrong with them.

        >>> from lineage.yamlfile import parse_declared
        >>> file, _ = parse_declared("name: a\\nbudgets: [{name: x, domain: d, amount: big, currency: E}]\\n", "b.yaml")
        >>> BUDGETS.read(file)[1]
        ['b.yaml:2: budgets[0].amount: “big” must be a number of at least 0']
        """
        value = file.value
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            return None, [file.problem((), "must be a mapping with a “name” and “budgets”")]
        problems = unknown_keys(file, (), value, ("name", "description", "budgets"))
        entries = value.get("budgets")
        if not isinstance(entries, list):
            return None, [*problems, file.problem(("budgets",), "must be a list")]
        for i, one in enumerate(entries):
            problems += _entry(file, i, one)
        if problems:
            return None, problems
        return Declared(value["name"], file, {"budgets": json.dumps(entries, sort_keys=True)}), []

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Budgets that are declared twice."""
        seen: dict[str, str] = {}
        problems = []
        for item in items:
            for i, one in enumerate(json.loads(item.columns["budgets"])):
                if one["name"] in seen:
                    what = f"“{one['name']}” is declared in {seen[one['name']]} too"
                    problems.append(item.file.problem(("budgets", i, "name"), what))
                seen[one["name"]] = item.file.path
        return problems


BUDGETS = BudgetFiles()


def _entry(file: DeclaredFile, i: int, one: Any) -> list[str]:
    here = ("budgets", i)
    if not isinstance(one, dict):
        return [file.problem(here, "must be a mapping")]
    problems = unknown_keys(file, here, one, _KEYS)
    problems += [file.problem(here, f"has no “{key}”") for key in ("name", "amount", "currency") if key not in one]
    if sum(key in one for key in SCOPES) != 1:
        problems.append(file.problem(here, f"must be for one of {', '.join(SCOPES)}"))
    try:
        amount = Decimal(str(one.get("amount", 0)))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        problems.append(file.problem((*here, "amount"), f"“{one.get('amount')}” must be a number of at least 0"))
    for key in ("since", "until"):
        if one.get(key) is not None and parse_event_time(str(one[key])) is None:
            problems.append(file.problem((*here, key), f"“{one[key]}” is no date; write 2026-01-31"))
    return problems
