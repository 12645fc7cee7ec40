"""Headers of the dashboard's answers: what a page may load, and how long files may be kept."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def policy(script_hashes: Sequence[str]) -> str:
    """Content-Security-Policy of the pages.

    Everything comes from this server. Scripts run from files, apart from Dash's own start-up line, which is
    named by its hash; ``eval`` is off. Styles may be inline because Mantine writes its theme into the page.
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(script_hashes)}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class PageHeaders:
    """ASGI middleware. Adds to HTML the policy, to every answer ``nosniff``, to versioned files a long life."""

    def __init__(self, app: ASGIApp, *, script_hashes: Sequence[str], assets: str) -> None:
        self.app = app
        self.policy = policy(script_hashes)
        self.assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope)
            await send(message)

        await self.app(scope, receive, answer)

    def _add(self, headers: MutableHeaders, scope: Scope) -> None:
        headers.setdefault("X-Content-Type-Options", "nosniff")
        if headers.get("content-type", "").startswith("text/html"):
            headers.setdefault("Content-Security-Policy", self.policy)
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("X-Frame-Options", "DENY")
            headers.setdefault("Cache-Control", "no-store")
        if scope["path"].startswith(self.assets):
            # the address of a script or style carries its time of change (?m=…); a font's never changes
            versioned = b"m=" in scope.get("query_string", b"") or "/fonts/" in scope["path"]
            headers["Cache-Control"] = "public, max-age=31536000" if versioned else "no-cache"
