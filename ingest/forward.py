"""Send events to a running server over HTTP: the way in while the server owns the database."""

from __future__ import annotations

import gzip
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

from ingest.envelope import Refusal, decode
from ingest.outcome import Line, Outcome
from ingest.sources.http import BATCH, SINGLE
from lineage.errors import MeshlineError, UsageError

_BATCH_BYTES = 8 * 1024 * 1024
_TRIES = 30  # a full queue is a matter of seconds
_TIMEOUT = 120.0


class ForwardError(MeshlineError):
    """The server cannot be reached, or does not take what is sent."""


class Forwarder:
    """Sends batches to a server; what is sent twice counts once, so a batch without an answer is sent again.

    Parameters
    ----------
    url
        address of the server, with its base path.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"--server {url}: write it like http://127.0.0.1:8080.")
        self.url = url.rstrip("/")

    def ingest(self, lines: Iterable[bytes | Line], *, source: str) -> Outcome:
        """Return when the server has everything on disk.

        Parameters
        ----------
        lines
            one event each.
        source
            where they come from, for errors.

        Returns
        -------
        Outcome
            ``accepted`` is what the server keeps; which of it it knew already it does not say.

        Raises
        ------
        ForwardError
            when it cannot be reached or refuses for another reason than the events themselves.
        """
        outcome = Outcome()
        events: list[bytes] = []
        size = 0
        for item in lines:
            data = (item.data if isinstance(item, Line) else item).strip()
            found = decode(data)
            outcome.read += 1
            if isinstance(found, Refusal):
                self._send(SINGLE, data, source, refusable=True)  # into the quarantine of the server
                outcome.quarantined += 1
                outcome.reasons[found.reason] += 1
                continue
            events.append(data)
            size += len(data)
            if size >= _BATCH_BYTES:
                outcome.accepted += self._batch(events, source)
                events, size = [], 0
        if events:
            outcome.accepted += self._batch(events, source)
        return outcome

    def _batch(self, events: list[bytes], source: str) -> int:
        answer = json.loads(self._send(BATCH, b"[" + b",".join(events) + b"]", source))
        kept: int = answer["summary"]["successful"]
        return kept

    def _send(self, path: str, body: bytes, source: str, *, refusable: bool = False) -> bytes:
        packed = gzip.compress(body, 1)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        for _ in range(_TRIES):
            request = urllib.request.Request(self.url + path, packed, headers, method="POST")  # noqa: S310 - checked
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                    content: bytes = answer.read()
                    return content
            except urllib.error.HTTPError as error:
                text = error.read()
                if refusable and error.code in (400, 413, 422):
                    return text
                if error.code != 503:
                    raise ForwardError(f"{self.url} refuses {source}: {_detail(text) or error.reason}") from None
                time.sleep(_seconds(error.headers.get("Retry-After")))
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                raise ForwardError(f"{self.url} cannot be reached ({reason}). Send {source} again.") from None
        raise ForwardError(f"{self.url} is too busy. Send {source} again later; what it knows it counts once.")


def _seconds(text: str | None) -> float:
    return min(float(text), 30.0) if text is not None and text.isdigit() else 1.0


def _detail(text: bytes) -> str:
    try:
        found: Any = json.loads(text)
    except ValueError:
        return ""
    return str(found.get("detail", "")) if isinstance(found, dict) else ""
