"""Files of governance: ``policies/*.yaml``, ``waivers/*.yaml`` and ``grants/*.yaml``.

.. code-block:: yaml

    id: owner-present                  # policies/owner-present.yaml
    version: 1.0.0
    title: Every asset has an owner
    severity: medium                   # critical, high, medium, low
    stage: scheduled                   # ingest, processing, publication, scheduled
    domain: "*"                        # or one domain
    owner: team:governance
    ttl_hours: 24                      # a result older than this is stale
    remediation_days: 30               # deadline of a violation
    escalation: [owner, {to: domain owner, after_days: 20}, central]
    scope_sql: SELECT id AS subject FROM asset WHERE kind = 'dataset'
    violation_sql: SELECT id AS subject, 'has no owner' AS message FROM asset WHERE kind = 'dataset' AND owner IS NULL
    tests:
      - name: an asset without an owner violates
        rows: {asset: [{id: a, kind: dataset}, {id: b, kind: dataset, owner: team:x}]}
        violations: [a]

    id: w-2026-014                     # waivers/w-2026-014.yaml
    policy: owner-present
    subject: dataset:pg:shop.orders
    requester: ada
    approver: grace                    # never the requester
    reason: moves to the new team in May
    expires: 2026-06-01                # at most 180 days after valid_from
    valid_from: 2026-05-01

    id: g-marketing-orders             # grants/g-marketing-orders.yaml
    product: orders
    consumer: {kind: domain, name: marketing}   # or kind: product
    purpose: newsletter
    approver: grace
    expires: 2026-12-31
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.actor import same_person
from lineage.policies.model import SEVERITIES, STAGES
from lineage.policies.schema import VIEWS
from lineage.policies.teams import CONSUMERS
from lineage.times import parse_event_time, utcnow
from lineage.yamlfile import Declared, DeclaredFile

if TYPE_CHECKING:
    from lineage.store import Store

LONGEST_WAIVER = timedelta(days=180)
LONGEST_DAYS = 3660  # ten years: an instant beyond what a clock can hold would stop every question about violations
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
FieldTypes = Mapping[str, type | tuple[type, ...]]


class FieldReader:
    """Checks the keys and types of one file and gathers what is wrong."""

    def __init__(self, file: DeclaredFile, required: FieldTypes, optional: FieldTypes) -> None:
        self.file, self.problems = file, []  # type: DeclaredFile, list[str]
        self.value: dict[str, Any] = file.value if isinstance(file.value, dict) else {}
        if not isinstance(file.value, dict):
            self.wrong((), "must be a mapping with at least an id")
            return
        fields = {**required, **optional, "id": str, "valid_from": str}
        for key in self.value:
            if key not in fields and not str(key).startswith("x-"):
                near = difflib.get_close_matches(str(key), fields, 1)
                self.wrong((str(key),), "is no key of this file" + (f"; did you mean “{near[0]}”?" if near else ""))
        for key in ("id", *required):
            held = self.value.get(key)
            if held in (None, "", []) or (isinstance(held, str) and not held.strip()):
                self.wrong((), f"has no “{key}”")
        for key, kind in fields.items():
            held = self.value.get(key)
            if held is not None and (not isinstance(held, kind) or (isinstance(held, bool) and kind is not bool)):
                self.wrong((key,), f"must be {_kind_name(kind)}, not {type(held).__name__}")
        name = self.value.get("id")
        if isinstance(name, str) and not _NAME.fullmatch(name):
            self.wrong(("id",), f"“{name}” cannot be an id; use letters, digits, “_”, “.”, “-”")

    def wrong(self, place: tuple[str | int, ...], what: str) -> None:
        self.problems.append(self.file.problem(place, what))

    def among(self, key: str, words: Sequence[str]) -> None:
        if isinstance(self.value.get(key), str) and self.value[key] not in words:
            self.wrong((key,), f"“{self.value[key]}” is none of {', '.join(words)}")

    def time(self, key: str) -> datetime | None:
        held = self.value.get(key)
        if not isinstance(held, str):
            return None
        parsed = parse_event_time(held)
        if parsed is None:
            self.wrong((key,), f"“{held}” is no date; write 2026-01-31")
        return parsed.at if parsed else None

    def done(self, columns: Mapping[str, Any]) -> tuple[Declared | None, list[str]]:
        start = self.time("valid_from")
        if self.problems:
            return None, self.problems
        return Declared(str(self.value["id"]), self.file, columns, start), []


class PolicyFiles:
    """The kind of file that declares a policy."""

    folder = "policies"
    table = "policy"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The policy in a file, and what is wrong with it."""
        texts: FieldTypes = {"title": str, "severity": str, "stage": str, "scope_sql": str, "violation_sql": str}
        more: FieldTypes = {
            "version": str, "description": str, "domain": str, "owner": str, "ttl_hours": (int, float),
            "remediation_days": int, "escalation": list, "tests": list,
        }  # fmt: skip
        reader = FieldReader(file, texts, more)
        reader.among("severity", SEVERITIES)
        reader.among("stage", STAGES)
        for key in ("ttl_hours", "remediation_days"):
            most = LONGEST_DAYS * (24 if key == "ttl_hours" else 1)
            if isinstance(reader.value.get(key), int | float) and not 0 < reader.value[key] <= most:
                reader.wrong((key,), f"must be more than 0 and at most {most}")
        for number, step in enumerate(reader.value.get("escalation") or []):
            _check_step(reader, number, step)
        for number, test in enumerate(reader.value.get("tests") or []):
            _check_test(reader, number, test)
        value = reader.value
        return reader.done(
            {
                "version": value.get("version") or "1.0.0",
                "title": value.get("title"),
                "severity": value.get("severity"),
                "stage": value.get("stage"),
                "domain": value.get("domain") or "*",
                "owner": value.get("owner"),
                "document": json.dumps(value, sort_keys=True, ensure_ascii=False),
            }
        )

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Nothing that only shows among several policies."""
        return []


class WaiverFiles:
    """The kind of file that declares a waiver."""

    folder = "waivers"
    table = "waiver"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The waiver in a file, and what is wrong with it."""
        needed = ("policy", "subject", "requester", "approver", "reason", "expires")
        reader = FieldReader(file, dict.fromkeys(needed, str), {})
        start, end = reader.time("valid_from"), reader.time("expires")
        value = reader.value
        approver = value.get("approver")
        if approver and same_person(str(approver), str(value.get("requester"))):
            reader.wrong(("approver",), f"“{approver}” asked for the waiver and cannot approve it; name somebody else")
        if start and end and not start < end <= start + LONGEST_WAIVER:
            reader.wrong(("expires",), f"must lie within {LONGEST_WAIVER.days} days after valid_from")
        if "valid_from" not in value and end and end > utcnow() + LONGEST_WAIVER:  # it holds from when it is applied
            reader.wrong(("expires",), f"must lie within {LONGEST_WAIVER.days} days from now, or from valid_from")
        columns = {key: value.get(key) for key in needed if key != "expires"}
        return reader.done({**columns, "expires": end})

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Nothing that only shows among several waivers."""
        return []


class GrantFiles:
    """The kind of file that declares a grant."""

    folder = "grants"
    table = "access_grant"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The grant in a file, and what is wrong with it."""
        texts = dict.fromkeys(("product", "purpose", "approver", "expires"), str)
        reader = FieldReader(file, {**texts, "consumer": dict}, {})
        start, end = reader.time("valid_from"), reader.time("expires")
        if start and end and not start < end:
            reader.wrong(("expires",), "must come after valid_from")
        consumer = reader.value.get("consumer")
        kind, name = (consumer.get("kind"), consumer.get("name")) if isinstance(consumer, dict) else (None, None)
        if isinstance(consumer, dict) and (kind not in CONSUMERS or not isinstance(name, str) or not name):
            reader.wrong(("consumer",), "wants kind (domain, product or team) and name")
        columns = {key: reader.value.get(key) for key in ("product", "purpose", "approver")}
        return reader.done({**columns, "consumer_kind": kind, "consumer": name, "expires": end})

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Nothing that only shows among several grants."""
        return []


POLICIES, WAIVERS, GRANTS = PolicyFiles(), WaiverFiles(), GrantFiles()


def _check_step(reader: FieldReader, number: int, step: Any) -> None:
    """One step of an escalation: whom, or whom and after how many days."""
    if isinstance(step, str) and step:
        return
    known = isinstance(step, dict) and set(step) == {"to", "after_days"} and isinstance(step["to"], str) and step["to"]
    days = step["after_days"] if known else None
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= LONGEST_DAYS:
        reader.wrong(
            ("escalation", number),
            f"must be a text (whom), or a mapping with to and after_days (more than 0, at most {LONGEST_DAYS})",
        )


def _check_test(reader: FieldReader, number: int, test: Any) -> None:
    """One test: rows of views in, subjects out."""
    place = ("tests", number)
    if not isinstance(test, dict) or not isinstance(test.get("rows"), dict):
        reader.wrong(place, "wants name, rows (a mapping of views to lists of rows) and violations (a list)")
        return
    if not isinstance(test.get("violations"), list):
        reader.wrong((*place, "violations"), "must be a list of subjects, [] for none")
    for view, rows in test["rows"].items():
        if view not in VIEWS:
            reader.wrong((*place, "rows", view), f"is no view; there are {', '.join(VIEWS)}")
        elif not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            reader.wrong((*place, "rows", view), "must be a list of mappings from columns to values")
        else:
            unknown = {str(key) for row in rows for key in row} - set(VIEWS[view])
            for key in sorted(unknown):
                reader.wrong((*place, "rows", view), f"“{key}” is no column of {view}")


def _kind_name(kind: type | tuple[type, ...]) -> str:
    names = {str: "a text; put it in quotes", int: "a whole number", list: "a list", dict: "a mapping"}
    return names.get(kind, "a number") if isinstance(kind, type) else "a number"
