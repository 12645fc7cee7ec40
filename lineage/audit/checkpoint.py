"""Signed checkpoints of the log in the form of the C2SP (tlog-checkpoint, signed-note).

A checkpoint says how many acts the log holds and what its root is. Kept elsewhere (mail, object store, a witness), it
proves later that the log was only added to.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.audit.signing import SigningKey, verify_signature
from lineage.audit.tree import Tree
from lineage.errors import MeshlineError
from lineage.times import utcnow

if TYPE_CHECKING:
    import duckdb

ORIGIN = "meshline.audit"
_ED25519 = b"\x01"  # algorithm of the signature in the key id


class CheckpointError(MeshlineError):
    """A text is no checkpoint, or not one of this log."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One signed statement about the log."""

    size: int
    root: bytes
    signed_at: datetime
    key: str  # fingerprint of the public key
    note: str


def sign_checkpoint(size: int, root: bytes, key: SigningKey, origin: str = ORIGIN) -> str:
    """A signed note.

    >>> print(sign_checkpoint(1, bytes(32), SigningKey(bytes(32))).splitlines()[2])
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
    """
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = base64.b64encode(key_id(origin, key.public) + key.sign(body.encode())).decode()
    return f"{body}\n— {origin} {signature}\n"


def read_checkpoint(text: str) -> tuple[str, int, bytes, bytes, bytes]:
    """Origin, size, root, key id and signature of a signed note.

    Raises
    ------
    CheckpointError
        when the text is none.
    """
    body, _, tail = text.replace("\r\n", "\n").partition("\n\n")
    lines = body.split("\n")
    words = tail.strip().split("\n")[0].split(" ")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
        signed = base64.b64decode(words[2], validate=True)
    except (IndexError, ValueError):
        raise CheckpointError("This is no checkpoint: origin, size, root, an empty line and a signature.") from None
    if words[0] != "—" or len(root) != 32 or len(signed) != 68 or size < 0:
        raise CheckpointError("This is no checkpoint: its root or its signature has the wrong length.")
    return origin, size, root, signed[:4], signed[4:]


def signed_by(text: str, public: bytes) -> bool:
    """Whether a note was signed with the private half of ``public``."""
    origin, _, _, who, signature = read_checkpoint(text)
    body = text.replace("\r\n", "\n").partition("\n\n")[0] + "\n"
    return who == key_id(origin, public) and verify_signature(public, signature, body.encode())


def key_id(origin: str, public: bytes) -> bytes:
    """Four bytes that name the key in a note."""
    return hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public).digest()[:4]


def add_checkpoint(cursor: duckdb.DuckDBPyConnection, key: SigningKey, *, at: datetime | None = None) -> Checkpoint:
    """Sign the log as it is and keep the checkpoint; the same one again when nothing was added since.

    Parameters
    ----------
    cursor
        cursor of a write transaction.
    key
        the signing key; its public half and fingerprint are kept with the checkpoint.
    """
    tree = Tree(cursor)
    last = checkpoints(cursor)
    if last and last[-1].size == tree.size and last[-1].key == key.fingerprint:
        return last[-1]
    made = Checkpoint(tree.size, tree.root, at or utcnow(), key.fingerprint, sign_checkpoint(tree.size, tree.root, key))
    cursor.execute(
        "INSERT INTO audit_checkpoint VALUES (?, ?, ?, ?, ?, ?)",
        [made.size, made.signed_at, made.root, made.key, key.public, made.note],
    )
    return made


def checkpoints(cursor: duckdb.DuckDBPyConnection) -> list[Checkpoint]:
    """All checkpoints that were signed, oldest first."""
    rows = cursor.execute(
        "SELECT size, root, signed_at, key, note FROM audit_checkpoint ORDER BY size, signed_at"
    ).fetchall()
    return [Checkpoint(*row) for row in rows]
