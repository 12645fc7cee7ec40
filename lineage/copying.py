"""Take a copy of the database from a running server."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from lineage.errors import StoreError, UsageError

PATH = "/api/v2/snapshot"
TIMEOUT = 60.0  # seconds without an answer


def copy_from_server(url: str, target: Path) -> None:
    """Download the database of a server to a file that opens anywhere.

    Parameters
    ----------
    url
        address of the server, ``http://127.0.0.1:8080``; a base path is kept.
    target
        file to write; must not be there yet.

    Raises
    ------
    UsageError
        when the address is none.
    StoreError
        when the server refuses or the file cannot be written.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--server: “{url}” is no address. Write it like http://127.0.0.1:8080.")
    if target.exists():
        raise StoreError(f"{target} is already there; name another file or remove it first.")
    partial = target.with_name(target.name + ".partial")
    address = url.rstrip("/") + PATH
    request = urllib.request.Request(address, data=b"", method="POST")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, partial.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
        partial.replace(target)
    except urllib.error.HTTPError as error:
        raise StoreError(f"{address} answered {error.code} {error.reason}. Is this a Meshline server?") from None
    except urllib.error.URLError as error:
        raise StoreError(f"{address} cannot be reached: {error.reason}.") from None
    except OSError as error:
        raise StoreError(f"Cannot write {target}: {error.strerror or error}.") from None
    finally:
        partial.unlink(missing_ok=True)
