"""What can be wrong with a database file, in words for a person."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

from lineage.errors import StoreError, StoreLockedError, StoreVersionError

_REFUSED = ("permission denied", "read-only file system", "operation not permitted")
_FULL = ("no space left", "file too large", "quota exceeded", "could not write", "input/output error")
_DAMAGED = ("corrupt", "checksum", "could not read enough bytes")


def server_note(path: Path) -> Path:
    """File beside the database in which a running server writes its process id and address (JSON)."""
    return path.with_name(path.name + ".server.json")


def check_file(file: Path | None, *, create: bool, read_only: bool) -> bool:
    """Whether the file is already there.

    Permissions are not looked up: only opening the file tells (access lists, read-only mounts, root).

    Raises
    ------
    StoreError
        when it cannot be what is asked for.
    """
    if file is None:
        return False
    try:
        if file.is_dir():
            raise StoreError(f"{file} is a folder; --db wants a file, for instance {file / 'meshline.duckdb'}.")
        if file.is_file():
            if not file.stat().st_size:
                raise StoreError(f"{file} is empty, so it is no database; remove it or name another file with --db.")
            return True
        if file.exists():
            raise StoreError(f"{file} is no ordinary file; name another one with --db.")
    except (OSError, ValueError) as error:  # a name that is too long, a folder that may not be entered
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(f"{file} cannot be used: {reason}. Name another file with --db.") from None
    if not create or read_only:
        raise StoreError(
            f"There is no database {file}. Make one with: meshline ingest PATH --db {file} (or see meshline demo)."
        )
    if not file.parent.is_dir():
        raise StoreError(f"The folder {file.parent} does not exist; create it or name another file with --db.")
    return False


def open_error(file: Path | None, error: Exception, *, existed: bool, read_only: bool) -> StoreError:
    """Our own words for DuckDB's refusal to open a file."""
    text = str(error)
    if file is None:
        return StoreError(f"No database in memory could be made: {_first_line(text)}")
    low = text.replace(str(file.absolute()), "").replace(str(file), "").lower()  # the name may hold any word
    if "could not set lock" in low:
        return _locked(file, text)
    if "different configuration" in low:
        return StoreLockedError(f"{file} is already open in this process in another mode; close it first.")
    if any(word in low for word in _REFUSED):
        if not existed:
            return _no_place(file)
        act = "read" if read_only else "written"
        return StoreError(f"{file} cannot be {act}: permission denied. Change its permissions or work on a copy.")
    if "not a valid duckdb" in low or "external extensions" in low:  # DuckDB would read SQLite by an extension
        return StoreError(f"{file} is no DuckDB database; name another file with --db.")
    if "corrupt wal file" in low:
        return damaged_log(file)
    if any(word in low for word in _DAMAGED):
        return StoreError(f"{file} is damaged ({_first_line(text)}). Keep a copy of it before you try anything.")
    if "newer" in low or "storage version" in low:
        return StoreVersionError(f"{file} was written by a newer DuckDB than this one reads; upgrade Meshline.")
    if not existed and "cannot open file" in low:
        return _no_place(file)
    return StoreError(f"{file} cannot be opened as a database: {_first_line(text)}")


def damaged_log(file: Path) -> StoreError:
    """The log holds transactions behind a damaged place."""
    return StoreError(f"The log of {file} is damaged. Put it right with: meshline recover --db {file}")


def write_error(file: Path | None, error: Exception) -> StoreError | None:
    """Our own words for a disk that takes no more or too little memory; ``None`` for any other error.

    Nothing of the write was kept.
    """
    if "out of memory" in str(error).lower():
        return StoreError(
            f"{file or 'The database'} cannot be written: the database may take too little memory for this. What was "
            "committed before is safe; set MESHLINE_MEMORY to more (default: 25%) and do the rest again."
        )
    text = str(error).replace(str(file), "").lower() if file is not None else ""
    if not any(word in text for word in _FULL):
        return None
    why = "the disk is full" if "no space left" in text or "quota" in text else "the disk does not take it"
    return StoreError(
        f"{file} cannot be written: {why}. What was committed before is safe; make room and do the rest again."
    )


def _locked(file: Path, text: str) -> StoreLockedError:
    """Who holds the file and what to do. A note that another, dead server left behind is not believed."""
    holder = re.search(r"PID (\d+)", text)
    who = f"process {holder[1]}" if holder else "another process"
    way_out = "Stop it, or work on a copy."
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads(server_note(file).read_text("utf-8"))
        if holder is None or int(note["pid"]) == int(holder[1]):
            who = f"a running server (process {note['pid']}, {note['url']})"
            way_out = (
                f"Ask the server (its interface: {note['url']}/api/docs), send it events with "
                f"meshline ingest PATH --server {note['url']} (it reads folders and topics itself when started with "
                f"--follow and --consume), take a copy with "
                f"meshline snapshot COPY.duckdb --server {note['url']}, or stop it."
            )
    return StoreLockedError(f"{file} is in use by {who}. {way_out}")


def _no_place(file: Path) -> StoreError:
    return StoreError(f"The folder {file.parent} cannot be written; name a file elsewhere with --db.")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
