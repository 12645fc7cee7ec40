"""Logs of long-running commands on stderr: lines for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}


class LogFormat(StrEnum):
    """How log records are written."""

    text = "text"
    json = "json"


class JsonFormatter(logging.Formatter):
    """One JSON object a record: ``time``, ``level``, ``logger``, ``message``, everything given as ``extra``, and
    ``error`` with the traceback.

    Examples
    --------
    >>> record = logging.LogRecord("meshline.x", logging.INFO, "", 0, "%d read", (3,), None)
    >>> record.accepted = 2
    >>> found = json.loads(JsonFormatter().format(record))
    >>> found["message"], found["accepted"], found["level"]
    ('3 read', 2, 'INFO')
    """

    def format(self, record: logging.LogRecord) -> str:
        """A record as one line."""
        at = datetime.fromtimestamp(record.created, UTC)
        found: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        found |= {key: value for key, value in vars(record).items() if key not in _PLAIN}
        if record.exc_info:
            found["error"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False, default=str)


def settings(format: LogFormat, level: str = "WARNING") -> dict[str, Any]:
    """Configuration for :func:`logging.config.dictConfig`: ``level`` for everybody, INFO for Meshline itself."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"format": _LINE},
            "json": {"()": f"{__name__}.JsonFormatter"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": format.value, "stream": "ext://sys.stderr"}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"meshline": {"level": "INFO"}},
    }


def configure(format: LogFormat) -> None:
    """Log to stderr from now on."""
    import logging.config

    logging.config.dictConfig(settings(format))
