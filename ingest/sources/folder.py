"""Follow a folder into which producers write events: one file an event, or files that grow.

What was read of each file is kept by device and inode, so a file may be renamed (rotated) at any time; a digest of what
was read tells a file that was cut, written anew, or got the inode of a deleted one: it is read from its start. Reading
something twice is harmless, since a known event changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from ingest import positions
from ingest.envelope import MAX_EVENT_BYTES
from ingest.outcome import Line, Outcome, Sink
from ingest.positions import Position
from ingest.sources import files
from ingest.sources.tail import cut
from ingest.writer import BATCH_EVENTS
from lineage.errors import UsageError
from lineage.store import Store
from lineage.times import EPOCH

log = logging.getLogger("meshline.follow")

_BATCH_BYTES = 32 * 1024 * 1024
_WINDOW = 32 * 1024  # bytes at the start and at the end of what was read that the digest covers
_SLACK = timedelta(seconds=5)  # clocks of file servers differ
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    name: str  # relative to the folder
    part: str
    size: int
    changed: int  # nanoseconds

    @property
    def state(self) -> tuple[int, int]:
        return self.size, self.changed


@dataclass
class Batch:
    """Events of one transaction and the positions behind them."""

    lines: list[Line] = field(default_factory=list)
    moved: dict[str, Position] = field(default_factory=dict)
    size: int = 0

    @property
    def full(self) -> bool:
        """Whether it is time to write it."""
        return len(self.lines) >= BATCH_EVENTS or self.size >= _BATCH_BYTES


class Folder:
    """One folder that is followed; everything in it but names that begin with a dot.

    Parameters
    ----------
    path
        the folder.
    store, writer
        where events and positions go.
    """

    def __init__(self, path: Path, store: Store, writer: Sink) -> None:
        if not path.is_dir():
            raise UsageError(f"{path} is no folder. Name the folder into which events are written.")
        self.path = path
        self.source = str(path.resolve())
        self._writer = writer
        self._known = positions.load(store, self.source)
        self._seen: dict[str, tuple[int, int]] = {}  # part → state at which nothing was left to read
        self._told: set[str] = set()

    def look(self) -> Outcome:
        """Take what is new; what is written is committed, also when a later file fails."""
        outcome = Outcome()
        present = self._scan()
        batch = Batch()
        for file in present.values():
            if self._unchanged(file):
                continue
            for part in self._read(file):
                batch.lines += part.lines
                batch.moved |= part.moved
                batch.size += part.size
                if batch.full:
                    outcome.add(self._write(batch))
                    batch = Batch()
        gone = [part for part in self._known if part not in present]
        if batch.moved or gone:
            outcome.add(self._write(batch, gone))
        return outcome

    @property
    def incomplete(self) -> list[str]:
        """Files with something left that is not complete yet, or no event."""
        return sorted(self._told)

    # -- files

    def _scan(self) -> dict[str, _File]:
        """Files that are there, oldest first."""
        found: list[_File] = []
        for folder, inner, names in os.walk(self.path):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in names:
                path = Path(folder, name)
                if name.startswith("."):
                    continue
                try:
                    state = path.stat()
                except OSError:
                    continue  # gone again, or a link to nowhere
                if path.is_file():
                    part = f"{state.st_dev}:{state.st_ino}"
                    found.append(_File(path, str(path.relative_to(self.path)), part, state.st_size, state.st_mtime_ns))
        found.sort(key=lambda file: (file.changed, file.name))
        return {file.part: file for file in found}

    def _unchanged(self, file: _File) -> bool:
        """Whether nothing can be new: seen so before, or not touched since it was read to its end."""
        if self._seen.get(file.part) == file.state or not file.size:
            return True
        known = self._known.get(file.part)
        if known is None or known.position != file.size or known.read_at is None:
            return False
        return EPOCH + timedelta(microseconds=file.changed // 1000) < known.read_at - _SLACK

    def _read(self, file: _File) -> Iterator[Batch]:
        """New events of one file, in parts of bounded size."""
        try:
            with file.path.open("rb") as stream:
                if stream.read(4).startswith(_PACKED):
                    yield from self._read_packed(file, stream)
                else:
                    yield from self._read_growing(file, stream)
        except FileNotFoundError:
            return
        except OSError as error:
            self._tell(file, f"cannot be read ({error.strerror or error})")
        self._seen[file.part] = file.state

    def _read_growing(self, file: _File, stream: BinaryIO) -> Iterator[Batch]:
        known = self._known.get(file.part)
        at, line = 0, 0
        if known is not None and known.position <= file.size and known.mark == _mark(stream, known.position):
            at, line = known.position, known.line or 0
        began = at
        room = _BATCH_BYTES
        while at < file.size:
            stream.seek(at)
            data = stream.read(min(room, file.size - at))
            found = cut(data.removeprefix(files.BOM) if at == 0 else data, first_line=line + 1)
            if not found.bytes or (at == 0 and not found.has_event):
                if at + len(data) >= file.size or room > MAX_EVENT_BYTES:
                    break
                room *= 2
                continue
            if at == 0 and data.startswith(files.BOM):
                at = len(files.BOM)
            at, line = at + found.bytes, line + found.newlines
            lines = [Line(item.data, item.number, str(file.path)) for item in found.lines]
            moved = Position(file.part, file.name, at, line, _mark(stream, at))
            yield Batch(lines, {file.part: moved}, found.bytes)
        if at < file.size:
            self._tell(file, "holds no complete event yet" if at == 0 else "its last event is not complete yet")
        else:
            self._told.discard(file.name)
            if at == began and known is not None and known.name != file.name:
                yield Batch(moved={file.part: Position(file.part, file.name, at, line, known.mark)})

    def _read_packed(self, file: _File, stream: BinaryIO) -> Iterator[Batch]:
        """A compressed file is read as a whole once it is complete; it is no file that grows."""
        known = self._known.get(file.part)
        mark = _mark(stream, file.size)
        if known is not None and known.mark == mark:
            return
        source = files.Source(file.path, str(file.path), file.size)
        held = list(files.batches(source))
        if source.problems or source.skipped:
            self._tell(file, source.skipped or "its compressed data is not complete yet")
            return
        self._told.discard(file.name)
        for i, lines in enumerate(held, 1):
            moved = {file.part: Position(file.part, file.name, file.size, None, mark)} if i == len(held) else {}
            yield Batch(lines, moved, sum(len(line.data) for line in lines))

    # -- writing

    def _write(self, batch: Batch, gone: list[str] | None = None) -> Outcome:
        moved = list(batch.moved.values())
        outcome = self._writer.ingest(
            batch.lines,
            source=self.source,
            together=lambda cursor: positions.save(cursor, self.source, moved, gone or ()),
        )
        self._known |= batch.moved
        for part in gone or ():
            self._known.pop(part, None)
            self._seen.pop(part, None)
        return outcome

    def _tell(self, file: _File, text: str) -> None:
        """Say once what holds a file up; nothing of it is lost, it is looked at again when it changes."""
        if file.name not in self._told:
            self._told.add(file.name)
            log.warning("%s: %s", file.path, text)


def _mark(stream: BinaryIO, position: int) -> bytes:
    """Digest of what was read: all of a small file, the start and the end of a large one."""
    digest = hashlib.sha256(position.to_bytes(8, "big"))
    stream.seek(0)
    digest.update(stream.read(min(position, _WINDOW)))
    stream.seek(max(0, position - _WINDOW))
    digest.update(stream.read(min(position, _WINDOW)))
    return digest.digest()[:16]
