"""The one gate around everything: who may be asked under which name, and from which page.

Version 1 knows one local actor and no passwords, so the network is the border: a server that listens on a loopback
address answers only requests addressed to a loopback name. Without this check any web page could reach it by letting
its own host name resolve to 127.0.0.1 (DNS rebinding). Requests that change something must come from our own pages or
from no browser at all.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from functools import lru_cache
from typing import Any, NamedTuple

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = frozenset({"GET", "HEAD", "OPTIONS"})
WEBSOCKET_REFUSED = 4403
SECURITY_HEADERS: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


class Refused(NamedTuple):
    """Why a request is not served."""

    code: str
    detail: str


class Guard:
    """ASGI middleware, for http and websocket alike.

    Parameters
    ----------
    app
        what it guards.
    allowed_hosts
        names, without port, that the ``Host`` header may carry besides loopback ones; ``None`` admits every name.
    """

    def __init__(self, app: App, allowed_hosts: Collection[str] | None = ()) -> None:
        self.app = app
        self.allowed_hosts = None if allowed_hosts is None else {name.lower() for name in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refused = self.check(scope)
        if refused is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": WEBSOCKET_REFUSED, "reason": refused.code})
        else:
            await _forbid(send, refused)

    def leave(self) -> None:
        """Tell the application that the end is near, if it wants to know."""
        leave = getattr(self.app, "leave", None)
        if leave is not None:
            leave()

    def check(self, scope: Scope) -> Refused | None:
        """Why this request is not served; ``None`` when it is."""
        host = origin = site = ""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"sec-fetch-site":
                site = value.decode("latin-1")
        if self.allowed_hosts is not None:
            name = host_name(host)
            if not is_loopback(name) and name not in self.allowed_hosts:
                return Refused(
                    "host-not-allowed",
                    f"This server answers to local names only, and was asked as “{name[:80]}”. Use http://127.0.0.1, "
                    f"or start it with: meshline serve --allow-host {name[:80] or 'NAME'}",
                )
        if scope["type"] == "http" and scope["method"] in READING:
            return None
        if not origin or site == "same-origin" or origin.partition("://")[2].lower() == host.lower():
            return None
        return Refused("cross-origin", f"A page of {origin[:80]} may not change anything here.")


def host_name(host: str) -> str:
    """The name in a ``Host`` header, without port.

    >>> host_name("LocalHost:8080"), host_name("[::1]:8080"), host_name("")
    ('localhost', '::1', '')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


@lru_cache(256)
def is_loopback(name: str) -> bool:
    """Whether a host name means this machine, whatever a name server says.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("localhost.evil.example")
    (True, True, True, False)
    """
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761: browsers never ask a name server for it
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def secured(send: Send) -> Send:
    """``send`` that adds the security headers to a response which does not set them itself."""

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            present = {name.lower() for name, _ in headers}
            headers += [header for header in SECURITY_HEADERS if header[0] not in present]
            message["headers"] = headers
        await send(message)

    return send_secured


async def _forbid(send: Send, refused: Refused) -> None:
    body = json.dumps({"error": refused.code, "detail": refused.detail}, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
