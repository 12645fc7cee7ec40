"""The header ``Meshline-Notes``: what an answer has to say of retention, also where its body has no place for it."""

from __future__ import annotations

from dashboard.guard import App, Message, Receive, Scope, Send
from lineage.partial import gathered

HEADER = b"meshline-notes"


class Noting:
    """ASGI middleware around the JSON interface."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; notes on the instants that it asked for stand in a header."""
        with gathered() as notes:

            async def noted(message: Message) -> None:
                if notes and message["type"] == "http.response.start":
                    headers = list(message.get("headers", ()))
                    if all(name.lower() != HEADER for name, _ in headers):
                        message["headers"] = [*headers, (HEADER, "; ".join(notes).encode("ascii", "replace"))]
                await send(message)

            await self.app(scope, receive, noted)
