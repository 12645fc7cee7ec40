"""Node identity: one 64-bit id for one natural key, the same on every machine and in any order.

A node is a dataset, a job or a column. Its id is the first 8 bytes of SHA-256 over the length-prefixed parts of its
key (semantics 1), so ids need no sequence and no coordination. People write nodes as text:

``dataset:NAMESPACE:NAME`` · ``job:NAMESPACE:NAME`` · ``column:NAMESPACE:NAME:COLUMN``

Namespace and name may both contain colons, therefore :func:`splits` gives every way to read such a text and the
store decides which of them exists.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["dataset", "job", "column"]
KINDS: tuple[Kind, ...] = ("dataset", "job", "column")

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SIZES = [size.to_bytes(4, "big") for size in range(256)]
_PREFIXES: dict[str, Kind] = {
    "dataset": "dataset",
    "job": "job",
    "column": "column",
    "datasetField": "column",  # Marquez writes it so
}


class NodeKey(NamedTuple):
    """Natural key of a node. ``field`` is the column path (``a.b`` for nested ones), empty for other kinds."""

    kind: Kind
    namespace: str
    name: str
    field: str = ""

    @property
    def id(self) -> int:
        """64-bit id of the key.

        >>> NodeKey("dataset", "postgres://db:5432", "shop.public.orders").id
        4041011112437257502
        """
        return node_id(self.kind, self.namespace, self.name, self.field)

    @property
    def text(self) -> str:
        """The key as people write it.

        >>> NodeKey("column", "file", "/a.csv", "x").text
        'column:file:/a.csv:x'
        """
        parts = [self.kind, self.namespace, self.name]
        if self.kind == "column":
            parts.append(self.field)
        return ":".join(parts)


def node_id(kind: str, namespace: str, name: str, field: str = "") -> int:
    """First 8 bytes (big endian) of SHA-256 over the length-prefixed parts; ``field`` counts for columns only."""
    parts = (kind, namespace, name, field) if kind == "column" else (kind, namespace, name)
    return digest64(*parts)


def digest64(*parts: str | bytes) -> int:
    """Unambiguous 64-bit digest of a tuple of texts; used for node, run, body and set ids alike."""
    return int.from_bytes(digest(*parts)[:8], "big")


def digest(*parts: str | bytes) -> bytes:
    """SHA-256 over the parts, each preceded by its length as 4 bytes, so that no two tuples collide by joining."""
    pieces: list[bytes] = []
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        size = len(data)
        pieces += (_SIZES[size] if size < 256 else size.to_bytes(4, "big"), data)
    return hashlib.sha256(b"".join(pieces)).digest()  # one call: each costs more than the bytes it is given


def run_key(run_id: str, job_namespace: str, job_name: str, *, exact: bool = False) -> int:
    """Key of a run: one runId under several jobs is several runs (semantics 15).

    Parameters
    ----------
    exact
        take the id as it is spelled, as Meshline did before a UUID was the same in either case.

    Examples
    --------
    >>> lower, upper = "1b671a64-40d5-491e-99b0-da01ff1f3341", "1B671A64-40D5-491E-99B0-DA01FF1F3341"
    >>> run_key(lower, "a", "b") == run_key(upper, "a", "b"), run_key("r1", "a", "b") == run_key("R1", "a", "b")
    (True, False)
    """
    return digest64("run", run_id if exact else folded_run_id(run_id), job_namespace, job_name)


def folded_run_id(run_id: str) -> str:
    """A run id by which two spellings of one are equal.

    OpenLineage says that a runId is a UUID, and RFC 9562 that letters of a UUID are the same in either case. Any other
    text, which producers send too, stays as it is.

    >>> folded_run_id("1B671A64-40D5-491E-99B0-DA01FF1F3341"), folded_run_id("Nightly-7")
    ('1b671a64-40d5-491e-99b0-da01ff1f3341', 'Nightly-7')
    """
    return run_id.lower() if not run_id.islower() and _UUID.fullmatch(run_id) else run_id


def alike_run_id(run_id: str) -> str | None:
    """What the small letters of a stored run id have to be, for it to be the same; ``None``: only the same text is."""
    return run_id.lower() if _UUID.fullmatch(run_id) else None


def listed(text: str) -> NodeKey | None:
    """Key from a JSON list of kind, namespace, name and, of a column, its path; ``None`` for any other text.

    >>> listed('["dataset", "p", "b:c"]')
    NodeKey(kind='dataset', namespace='p', name='b:c', field='')
    """
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None  # a name may begin with a bracket
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found) or len(found) not in (3, 4):
        return None
    kind, namespace, name, *field = found
    if kind not in KINDS or (kind == "column") != bool(field):
        return None
    return NodeKey(kind, namespace, name, *field)


def splits(text: str) -> Iterator[NodeKey]:
    """Every key that ``text`` can stand for.

    >>> [key.namespace for key in splits("dataset:postgres://db:5432:shop.orders")]
    ['postgres', 'postgres://db', 'postgres://db:5432']
    """
    prefix, colon, rest = text.partition(":")
    kind = _PREFIXES.get(prefix)
    if not colon or kind is None:
        return
    pieces = rest.split(":")
    if kind != "column":
        for i in range(1, len(pieces)):
            yield NodeKey(kind, ":".join(pieces[:i]), ":".join(pieces[i:]))
        return
    for i in range(1, len(pieces) - 1):
        for j in range(i + 1, len(pieces)):
            yield NodeKey(kind, ":".join(pieces[:i]), ":".join(pieces[i:j]), ":".join(pieces[j:]))
