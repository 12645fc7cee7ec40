"""A snapshot in a file that is mapped into memory instead of being built again.

Layout: ``MESHSNAP``, then three little-endian uint64 (version of the format, length of the description, checksum of all
else in the file), the description as JSON, and the arrays, each at a multiple of 64 bytes. The description names the
state of the store the snapshot was built from; a file of another state, of another version, damaged or cut short is
refused with the reason, never read in part. Files are written beside their name and moved there when complete, so a
reader sees the old one or the new one; what is mapped stays valid when the name gets another file.

Nothing in a file is code: classes are those of the list below, arrays are numbers, texts are Arrow.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from lineage.errors import MeshlineError
from lineage.graph.level import Adjacency, Csr, Level
from lineage.graph.names import Names
from lineage.graph.nodes import Nodes
from lineage.graph.rows import ColumnUse, EdgeRows, Pairs, Relations
from lineage.graph.snapshot import Snapshot
from lineage.graph.sorting import IdMap

VERSION = 3
_MAGIC = b"MESHSNAP"
_HEAD = struct.Struct("<8sQQQ")
_UNSUMMED = 8  # bytes of the checksum, the last of the head
_ALIGN = 64
_CLASSES = {c.__name__: c for c in (Adjacency, ColumnUse, Csr, EdgeRows, IdMap, Level, Names, Nodes, Pairs, Relations)}
_ID_MAP = ("order", "sorted")


class SnapshotFileError(MeshlineError):
    """A saved snapshot that cannot be used: another version, another state, damaged or cut short.

    Parameters
    ----------
    path
        the file.
    reason
        what is wrong, as the rest of a sentence about it.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}; delete it.")
        self.reason = reason


class OtherStateError(SnapshotFileError):
    """A sound file of another state of the store (``store``), as there is one after every change."""

    def __init__(self, path: Path, store: str) -> None:
        super().__init__(path, "was saved from another state of the database than the present one")
        self.store = store


@dataclass(frozen=True, slots=True)
class State:
    """What a snapshot was built from, as text that two equal states share, and until when (microseconds) it holds."""

    store: str
    since: int
    until: int


def save(snapshot: Snapshot, path: Path, state: State) -> None:
    """Write a snapshot to a file, all of it or nothing.

    Raises
    ------
    OSError
        when the file cannot be written.
    """
    arrays: list[npt.NDArray[Any]] = []
    parts = _pack(snapshot.parts(), arrays, {})
    places, offset = [], 0
    for array in arrays:
        places.append([array.dtype.str, len(array), offset])
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    text = {"store": state.store, "since": state.since, "until": state.until, "arrays": places, "parts": parts}
    description = json.dumps(text).encode()
    description += b" " * (-(_HEAD.size + len(description)) % _ALIGN)
    digest = xxhash.xxh3_64(_HEAD.pack(_MAGIC, VERSION, len(description), 0)[:-_UNSUMMED])
    digest.update(description)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(_HEAD.pack(_MAGIC, VERSION, len(description), 0))
            file.write(description)
            for array in arrays:
                piece = np.ascontiguousarray(array).tobytes() + bytes(-array.nbytes % _ALIGN)
                digest.update(piece)
                file.write(piece)
            file.seek(0)
            file.write(_HEAD.pack(_MAGIC, VERSION, len(description), digest.intdigest()))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def open_saved(
    path: Path, store: str, as_of: datetime, known_at: datetime, micros: int, *, kernels: str | None = None
) -> Snapshot:
    """Map a saved snapshot.

    Parameters
    ----------
    path
        the file.
    store
        the state of the store that the file must have been built from.
    as_of, known_at, micros
        the instant asked for, and the valid time of it in microseconds since 1970; nothing may have begun or ended to
        hold between the instant of the file and this one.

    Raises
    ------
    SnapshotFileError
        when it is of another version or state, damaged or cut short.
    OSError
        when it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or head[:8] != _MAGIC:
            raise SnapshotFileError(path, "is no saved snapshot of Meshline, or was cut short")
        _, version, length, checksum = _HEAD.unpack(head)
        if version != VERSION:
            raise SnapshotFileError(path, f"has format {version}; this Meshline reads format {VERSION}")
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    digest = xxhash.xxh3_64(head[:-_UNSUMMED])
    digest.update(mapped[_HEAD.size :])
    if digest.intdigest() != checksum:
        raise SnapshotFileError(path, "is damaged or was cut short")
    text = json.loads(bytes(mapped[_HEAD.size : _HEAD.size + length]))
    if text["store"] != store or not text["since"] <= micros < text["until"]:
        raise OtherStateError(path, text["store"])
    base = _HEAD.size + length
    arrays = [np.frombuffer(mapped, np.dtype(kind), count, base + at) for kind, count, at in text["arrays"]]
    return Snapshot.of_parts(as_of, known_at, _unpack(text["parts"], arrays), kernels)


def _pack(value: Any, arrays: list[Any], known: dict[int, int]) -> Any:
    """JSON of a value whose arrays go into a list, each array once."""
    if isinstance(value, np.ndarray):
        if id(value) not in known:
            known[id(value)] = len(arrays)
            arrays.append(value)
        return {"array": known[id(value)]}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (tuple, list)):
        return {"tuple": [_pack(v, arrays, known) for v in value]}
    if isinstance(value, dict):
        return {"dict": {k: _pack(v, arrays, known) for k, v in value.items()}}
    if type(value).__name__ in _CLASSES:
        names = [f.name for f in fields(value)] if is_dataclass(value) else _ID_MAP
        return {"class": type(value).__name__, "of": {n: _pack(getattr(value, n), arrays, known) for n in names}}
    if isinstance(value, np.integer):
        return int(value)
    return {"texts": _pack(_texts_out(value), arrays, known)}


def _unpack(value: Any, arrays: list[Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "tuple" in value:
        return tuple(_unpack(v, arrays) for v in value["tuple"])
    if "dict" in value:
        return {k: _unpack(v, arrays) for k, v in value["dict"].items()}
    if "texts" in value:
        return _texts_in(_unpack(value["texts"], arrays))
    made = object.__new__(_CLASSES[value["class"]])
    for name, part in value["of"].items():
        object.__setattr__(made, name, _unpack(part, arrays))
    return made


def _texts_out(texts: Any) -> Any:
    """A column of texts as the bytes of an Arrow stream."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    table = pa.table({"t": texts})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return np.frombuffer(sink.getvalue(), np.uint8)


def _texts_in(stream: Any) -> Any:
    import pyarrow as pa

    return pa.ipc.open_stream(pa.py_buffer(stream)).read_all().column("t")
