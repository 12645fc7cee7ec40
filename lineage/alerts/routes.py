"""Files of routes, ``alerts/*.yaml``: who is told what, and how.

.. code-block:: yaml

    id: on-call                        # alerts/on-call.yaml
    channel: webhook                   # webhook, slack, mail
    url: ${ONCALL_URL}                 # webhook and slack: name of a variable of the environment, never the address
    secret: ${ONCALL_SECRET}           # webhook: key of the signature
    kinds: [violation, incident]       # default: violation, incident, contract, budget
    severity: high                     # the least; default low
    domains: [finance]                 # default: all
    level: 2                           # only what has come so far in its escalation; default 0

    id: owners                         # alerts/owners.yaml
    channel: mail
    smtp: ${MESHLINE_SMTP}             # smtp://user:password@host:587 or smtps://…
    from: meshline@example.org
    to: escalation                     # the escalation list of the domain, or a list of addresses
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.policies.files import FieldReader, FieldTypes
from lineage.policies.model import SEVERITIES
from lineage.yamlfile import Declared, DeclaredFile

if TYPE_CHECKING:
    from lineage.alerts.model import Alert
    from lineage.store import Store

CHANNELS = ("webhook", "slack", "mail")
KINDS = ("violation", "incident", "contract", "budget")
ESCALATION = "escalation"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NEEDED = {"webhook": ("url",), "slack": ("url",), "mail": ("smtp", "from", "to")}
_ROUTES = """
-- routes at T as known at K
SELECT document FROM alert_route
WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``url``, ``secret`` and ``smtp`` are names of variables of the environment."""

    id: str
    channel: str
    kinds: tuple[str, ...] = KINDS
    severity: str = "low"
    domains: tuple[str, ...] | None = None
    level: int = 0
    url: str | None = None
    secret: str | None = None
    smtp: str | None = None
    sender: str | None = None
    to: tuple[str, ...] = ()  # empty: the escalation list of the domain

    def takes(self, alert: Alert) -> bool:
        """Whether an alert goes this way."""
        return (
            alert.kind in self.kinds
            and SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.severity)
            and (self.domains is None or alert.domain in self.domains)
            and alert.level >= self.level
        )


class RouteFiles:
    """The kind of file that declares a route."""

    folder = "alerts"
    table = "alert_route"

    def read(self, file: DeclaredFile) -> tuple[Declared | None, list[str]]:
        """The route in a file, and what is wrong with it."""
        more: FieldTypes = {
            "url": str, "secret": str, "smtp": str, "from": str, "to": (str, list), "kinds": list, "severity": str,
            "domains": list, "level": int, "title": str, "description": str,
        }  # fmt: skip
        reader = FieldReader(file, {"channel": str}, more)
        reader.among("channel", CHANNELS)
        reader.among("severity", SEVERITIES)
        value = reader.value
        for word in value.get("kinds") or ():
            if word not in KINDS:
                reader.wrong(("kinds",), f"“{word}” is none of {', '.join(KINDS)}")
        for key in _NEEDED.get(str(value.get("channel")), ()):
            if not value.get(key):
                reader.wrong((), f"has no “{key}”, which {value['channel']} needs")
        for key in ("url", "secret", "smtp"):
            if isinstance(value.get(key), str) and not _REFERENCE.fullmatch(value[key]):
                reader.wrong((key,), "must be ${NAME} of a variable of the environment; addresses and keys stay there")
        if isinstance(value.get("to"), str) and value["to"] != ESCALATION:
            reader.wrong(("to",), f"must be a list of addresses, or “{ESCALATION}”")
        if reader.problems:
            return None, reader.problems
        return reader.done({"document": json.dumps(value, sort_keys=True, ensure_ascii=False)})

    def check(self, items: Sequence[Declared], store: Store) -> list[str]:
        """Nothing that only shows among several routes."""
        return []


ROUTES = RouteFiles()


def routes_of(store: Store, as_of: datetime, known_at: datetime) -> tuple[Route, ...]:
    """The routes of one instant, by id."""
    documents = store.rows(_ROUTES, {"at": as_of, "known": known_at})
    return tuple(_route(json.loads(row[0])) for row in documents)


def _route(value: Mapping[str, Any]) -> Route:
    to = value.get("to")
    return Route(
        id=value["id"],
        channel=value["channel"],
        kinds=tuple(value.get("kinds") or KINDS),
        severity=value.get("severity") or "low",
        domains=tuple(value["domains"]) if value.get("domains") is not None else None,
        level=value.get("level") or 0,
        url=_name(value.get("url")),
        secret=_name(value.get("secret")),
        smtp=_name(value.get("smtp")),
        sender=value.get("from"),
        to=tuple(str(one) for one in to) if isinstance(to, list) else (),
    )


def _name(reference: str | None) -> str | None:
    found = _REFERENCE.fullmatch(reference or "")
    return found[1] if found else None
