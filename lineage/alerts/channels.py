"""How an alert leaves: webhook with a signature, Slack's shape, mail.

Addresses and keys are read from the environment when they are needed. They are neither stored nor logged, and no error
told from here names them.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from lineage.alerts.model import Alert
from lineage.alerts.routes import Route
from lineage.errors import MeshlineError
from lineage.times import iso

SECONDS = 10.0  # for one delivery
LISTED = 50  # members that are told; more are counted
SIGNATURE, STAMP, DELIVERY = "X-Meshline-Signature", "X-Meshline-Timestamp", "X-Meshline-Delivery"


class DeliveryError(MeshlineError):
    """An alert could not be delivered; the text names no address."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry an alert to an address that nobody configured."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def deliver(
    route: Route, alert: Alert, delivery: str, stamp: int, environment: Mapping[str, str], people: Sequence[str] = ()
) -> None:
    """Send one alert by one route.

    Parameters
    ----------
    delivery
        id of the delivery; the same again when it is retried, so that a receiver can tell.
    stamp
        seconds since 1970, part of what is signed.
    environment
        where addresses and keys are.
    people
        escalation list of the domain, for routes that go there.

    Raises
    ------
    DeliveryError
        when it did not arrive.
    """
    if route.channel == "mail":
        _mail(route, alert, environment, route.to or escalated(people, alert.level))
        return
    body = json.dumps(slack(alert) if route.channel == "slack" else payload(alert), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "meshline", DELIVERY: delivery}
    if route.secret is not None:
        key = _variable(environment, route.secret)
        headers |= {STAMP: str(stamp), SIGNATURE: sign(key, stamp, body)}
    _post(_variable(environment, route.url), body, headers)


def sign(key: str, stamp: int, body: bytes) -> str:
    """Signature of a webhook: HMAC-SHA256 over time, a dot and the body.

    >>> sign("k", 1, b"{}")[:14]
    'sha256=3dd49b2'
    """
    return "sha256=" + hmac.new(key.encode(), str(stamp).encode() + b"." + body, hashlib.sha256).hexdigest()


def payload(alert: Alert) -> dict[str, Any]:
    """The JSON of a webhook."""
    return {
        "id": alert.id, "cause": alert.cause, "state": "resolved" if alert.resolved else "open",
        "kind": alert.kind, "severity": alert.severity, "domain": alert.domain,
        "level": alert.level, "escalation": alert.escalation, "title": alert.title, "node": alert.node,
        "detail": alert.detail, "since": iso(alert.since), "deadline": iso(alert.deadline),
        "members": list(alert.members[:LISTED]), "more": max(0, len(alert.members) - LISTED),
    }  # fmt: skip


def slack(alert: Alert) -> dict[str, Any]:
    """What Slack and those that speak like it take; texts are escaped, so that no name becomes a link or a mention."""
    head, body = _escape(f"[{alert.severity}] {alert.title}"), _escape(text(alert))
    return {
        "text": head,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": f"*{head}*"[:3000]}},
            {"type": "section", "text": {"type": "mrkdwn", "text": body[:3000]}},
        ],
    }


def text(alert: Alert) -> str:
    """The same for people."""
    said = (
        ("Cause", alert.node), ("Domain", alert.domain), ("Since", iso(alert.since)), ("Deadline", iso(alert.deadline)),
        ("With", alert.escalation),
    )  # fmt: skip
    lines = [alert.detail, *(f"{head}: {value}" for head, value in said if value)]
    lines += [f"• {member}" for member in alert.members[:LISTED]]
    more = len(alert.members) - LISTED
    return "\n".join(line for line in [*lines, f"… and {more} more" if more > 0 else ""] if line)


def escalated(people: Sequence[str], level: int) -> tuple[str, ...]:
    """Those of an escalation list whom a level has reached: the first from the start, one more with each further step.

    >>> escalated(["ann", "bob", "cio"], 0), escalated(["ann", "bob"], 3)
    (('ann',), ('ann', 'bob'))
    """
    return tuple(people[: max(1, level)])


# -- inside


def _variable(environment: Mapping[str, str], name: str | None) -> str:
    value = environment.get(name or "")
    if not value:
        raise DeliveryError(f"The variable {name} of the environment is not set.")
    return value


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise DeliveryError("The address is no http or https address.")
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - checked
        with opener.open(request, timeout=SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        raise DeliveryError(f"The receiver answered {error.code}.") from None
    except urllib.error.URLError as error:
        raise DeliveryError(f"The receiver cannot be reached ({type(error.reason).__name__}).") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeliveryError(f"The receiver cannot be reached ({type(error).__name__}).") from None


def _mail(route: Route, alert: Alert, environment: Mapping[str, str], people: Sequence[str]) -> None:
    to = [one for one in people if "@" in one and not any(c.isspace() for c in one)]
    if not to:
        raise DeliveryError(f"Domain {alert.domain or 'unassigned'} names no address to escalate to.")
    message = EmailMessage()
    message["Subject"] = " ".join(f"[Meshline, {alert.severity}] {alert.title}".split())
    message["From"], message["To"] = route.sender or "", ", ".join(to)
    message.set_content(text(alert))
    server = urlsplit(_variable(environment, route.smtp))
    if server.scheme not in ("smtp", "smtps") or not server.hostname:
        raise DeliveryError(f"The variable {route.smtp} is no address like smtp://host:587.")
    try:
        with _connect(server) as smtp:
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            smtp.send_message(message)
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(f"The mail server answered {error.smtp_code}.") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryError(f"The mail server cannot be used ({type(error).__name__}).") from None


def _connect(server: SplitResult) -> smtplib.SMTP:
    """A connection, encrypted where the server can; a password is never sent over one that is not."""
    host, context = str(server.hostname), ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, server.port or 465, timeout=SECONDS, context=context)
    smtp = smtplib.SMTP(host, server.port or 587, timeout=SECONDS)
    smtp.ehlo()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
    elif server.username:
        smtp.close()
        raise DeliveryError("The mail server offers no encryption, so no password is sent to it.")
    return smtp


def _escape(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
