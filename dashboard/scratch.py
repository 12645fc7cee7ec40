"""Folders for files that nobody needs once the server has gone.

A process that ends in order removes its folder. One that is killed cannot; the next server that wants such a folder
takes away what it left. Whether an owner is alive is told by a lock on a file in the folder: the system lets go of it
with the process, however that ends, and a number of a process that was given out again deceives nobody.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from pathlib import Path

try:
    import fcntl
except ImportError:  # no such locks on Windows: nothing is swept there
    fcntl = None  # type: ignore[assignment]

_LOCK = ".owner"


class Scratch:
    """A folder that is made when it is first asked for.

    Parameters
    ----------
    prefix
        beginning of its name.
    where
        the folder to make it in; default: that of the system for temporary files.

    Examples
    --------
    >>> scratch = Scratch("meshline-doctest-")
    >>> file = scratch.path() / "a.txt"
    >>> file.write_text("abc")
    3
    >>> scratch.close()
    >>> file.exists()
    False
    """

    def __init__(self, prefix: str, where: Path | None = None) -> None:
        self._prefix = prefix
        self._where = where or Path(tempfile.gettempdir())
        self._lock = threading.Lock()
        self._made: tuple[tempfile.TemporaryDirectory[str], int | None] | None = None

    def path(self) -> Path:
        """The folder."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return Path(self._made[0].name)

    def close(self) -> None:
        """Remove the folder with all that is in it, if there is one."""
        with self._lock:
            made, self._made = self._made, None
        if made is None:
            return
        made[0].cleanup()
        if made[1] is not None:
            os.close(made[1])

    def sweep(self) -> int:
        """Remove the folders of this prefix whose owners have gone; how many there were."""
        if fcntl is None:
            return 0
        gone = 0
        for folder in self._where.glob(f"{self._prefix}*"):
            with contextlib.suppress(OSError):  # another one sweeps too, or it may not be touched
                gone += _swept(folder)
        return gone

    def _make(self) -> tuple[tempfile.TemporaryDirectory[str], int | None]:
        while True:
            folder = tempfile.TemporaryDirectory(prefix=self._prefix, dir=self._where)
            if fcntl is None:
                return folder, None
            held = os.open(Path(folder.name) / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # a sweep came between
                os.close(held)
                folder.cleanup()
                continue
            except OSError:  # a file system without locks: kept, and never swept
                os.close(held)
                Path(folder.name, _LOCK).unlink(missing_ok=True)
                return folder, None
            if Path(folder.name, _LOCK).exists():
                return folder, held
            os.close(held)  # swept before it was locked
            folder.cleanup()


def _swept(folder: Path) -> bool:
    """Remove a folder of ours whose lock nobody holds; one without a lock is left alone."""
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        return False
    held = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(held)
    return True
