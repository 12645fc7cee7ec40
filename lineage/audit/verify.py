"""Check the whole log: nothing edited, removed or put in, every checkpoint kept, every batch of events as accepted."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.audit.batches import ACCEPT, batch_root
from lineage.audit.checkpoint import CheckpointError, read_checkpoint, signed_by
from lineage.audit.log import FIRST, Act, leaf_bytes
from lineage.audit.merkle import EMPTY, leaf_hash, node_hash, root
from lineage.audit.signing import fingerprint
from lineage.audit.tree import TILE, WIDE
from lineage.store.blocks import unpack
from lineage.times import EPOCH

if TYPE_CHECKING:
    import duckdb

REMOVE = "retention.apply"
"""Act that removes batches on purpose; its payload names them as ``blocks``: a list of [first, last]."""
_PAGE = 10_000
_MOST = 100  # problems that are listed
_ACTS = """
-- one act
SELECT seq, acted_at, actor, action, resource, outcome, payload, leaf_hash, chain_hash
FROM audit WHERE seq >= ? AND seq < ? ORDER BY seq, leaf_hash
"""
_SIGNED = """
-- one checkpoint; a value that somebody took out by hand fits nothing
SELECT coalesce(size, 0), coalesce(root, ''::BLOB), coalesce(key, ''), coalesce(public_key, ''::BLOB),
  coalesce(note, '')
FROM audit_checkpoint ORDER BY 1
"""
_LEAVES = """
-- leaf of one act
SELECT coalesce(leaf_hash, ''::BLOB) FROM audit WHERE seq >= ? AND seq < ? ORDER BY seq
"""
_BODY = "SELECT coalesce(body, ''::BLOB) FROM raw WHERE block = ?  -- one block of the archive"
_UNNUMBERED = "SELECT count(*) FROM audit WHERE seq IS NULL  -- one row"
_BLANK: tuple[Any, ...] = (0, EPOCH, "", "", "", "", "", b"", b"")
"""What stands for a value of an act that somebody took out by hand, so that the others are still checked."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What the check of a log found."""

    acts: int
    root: str  # of the Merkle tree over the leaves as they follow from the acts, hexadecimal
    checkpoints: int
    batches: int  # batches of events whose bytes were checked
    keys: tuple[str, ...]  # fingerprints of the keys that signed the checkpoints
    trusted: bool | None  # all signed by the trusted key, and at least one; None when none was named
    covered: int  # acts up to the last checkpoint
    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    @property
    def unsigned(self) -> bool:
        """Whether a key was named and there is no signature to hold against it."""
        return self.trusted is False and not self.checkpoints


@dataclass
class _Log:
    """What is gathered while the acts pass by."""

    count: int = 0
    top: bytes = EMPTY


def verify(
    cursor: duckdb.DuckDBPyConnection, *, notes: Sequence[str] = (), trusted: str | None = None, events: bool = True
) -> Verification:
    """Check the log of a store.

    Parameters
    ----------
    cursor
        a cursor on which all reads see one state.
    notes
        checkpoints that were kept elsewhere; each must be a beginning of this log.
    trusted
        fingerprint of the key that has to have signed every checkpoint.
    events
        also hash the archived events of every batch.
    """
    problems: list[str] = []
    signed = cursor.execute(_SIGNED).fetchall()
    wanted = {row[0] for row in signed} | {read_checkpoint(note)[1] for note in notes}
    log = _Log()
    batches: dict[int, tuple[str, int, int]] = {}
    removed: list[tuple[int, int]] = []
    roots: dict[int, bytes] = {0: EMPTY}
    for act, size, top in _walk(cursor, log, wanted, problems):
        if size in wanted:
            roots[size] = top
        if act.action == ACCEPT and act.outcome == "done":
            _note_batch(act, batches, problems)
        if act.action == REMOVE and act.outcome == "done":
            removed += _removed(act)
    keys = {row[2] for row in signed}
    for size, kept, key, public, note in signed:
        problems += _check_checkpoint(size, kept, key, public, note, roots)
    publics = {row[3] for row in signed}
    for note in notes:
        problems += _check_note(note, roots, publics)
    if trusted is not None and signed:
        problems += [f"A checkpoint is signed by {key}, not by the trusted key." for key in sorted(keys - {trusted})]
    problems += _check_tiles(cursor, log.count)
    unnumbered = cursor.execute(_UNNUMBERED).fetchall()[0][0]
    problems += [f"{unnumbered} acts have no number: put into the log by hand."] if unnumbered else []
    checked = _check_batches(cursor, batches, removed, problems) if events else 0
    return Verification(
        acts=log.count,
        root=log.top.hex(),
        checkpoints=len(signed),
        batches=checked,
        keys=tuple(sorted(keys)),
        trusted=None if trusted is None else bool(signed) and keys == {trusted},
        covered=max((row[0] for row in signed), default=0),
        problems=_cut(problems),
    )


def _walk(
    cursor: duckdb.DuckDBPyConnection, log: _Log, wanted: set[int], problems: list[str]
) -> Iterator[tuple[Act, int, bytes]]:
    """Every act with the size and (where wanted) the root of the log up to it."""
    end = cursor.execute("SELECT coalesce(max(seq) + 1, 0) FROM audit").fetchall()[0][0]
    chain, expected = FIRST, 0
    stack: list[tuple[int, bytes]] = []
    for start in range(0, end, _PAGE):
        for row in cursor.execute(_ACTS, [start, start + _PAGE]).fetchall():
            act = Act(*(blank if value is None else value for value, blank in zip(row, _BLANK, strict=True)))
            if act.seq > expected:
                gap = f"{expected}" if act.seq == expected + 1 else f"{expected} to {act.seq - 1}"
                problems.append(f"Act {gap} is missing: removed from the log.")
            elif act.seq < expected:
                problems.append(f"Act {act.seq} stands twice: put into the log by hand.")
            leaf = leaf_hash(leaf_bytes(act.seq, act.at, act.actor, act.action, act.resource, act.outcome, act.payload))
            if leaf != act.leaf_hash or None in row:
                problems.append(f"Act {act.seq} ({act.action} on {act.resource}): its content was edited.")
            if hashlib.sha256(chain + act.leaf_hash).digest() != act.chain_hash:
                problems.append(f"Act {act.seq} ({act.action} on {act.resource}): the chain breaks before it.")
            chain, expected = act.chain_hash, act.seq + 1
            log.count += 1
            _push(stack, leaf)
            yield act, log.count, _top(stack) if log.count in wanted else b""
    log.top = _top(stack)


def _push(stack: list[tuple[int, bytes]], leaf: bytes) -> None:
    count, top = 1, leaf
    while stack and stack[-1][0] == count:
        count, top = count * 2, node_hash(stack.pop()[1], top)
    stack.append((count, top))


def _top(stack: Sequence[tuple[int, bytes]]) -> bytes:
    if not stack:
        return EMPTY
    top = stack[-1][1]
    for _, left in reversed(stack[:-1]):
        top = node_hash(left, top)
    return top


def _note_batch(act: Act, batches: dict[int, tuple[str, int, int]], problems: list[str]) -> None:
    try:
        told = json.loads(act.payload)
        block, entry = int(told["block"]), (str(told["root"]), int(told["events"]), act.seq)
    except (ValueError, KeyError, TypeError):
        problems.append(f"Act {act.seq}: its payload is no batch of events.")
        return
    if block in batches:
        problems.append(f"Act {act.seq}: block {block} was accepted by act {batches[block][2]} already.")
    batches.setdefault(block, entry)


def _removed(act: Act) -> list[tuple[int, int]]:
    try:
        return [(int(first), int(last)) for first, last in json.loads(act.payload).get("blocks", [])]
    except (ValueError, TypeError, AttributeError):
        return []  # an edited payload has been named already


def _check_checkpoint(size: int, kept: bytes, key: str, public: bytes, note: str, roots: dict[int, bytes]) -> list[str]:
    name = f"Checkpoint of {size} acts"
    if fingerprint(public) != key:
        return [f"{name}: its key is not the one it names."]
    try:
        _, told, top, _, _ = read_checkpoint(note)
    except CheckpointError as error:
        return [f"{name}: {error}"]
    if (told, top) != (size, kept) or not signed_by(note, public):
        return [f"{name}: its signature does not fit."]
    if size not in roots:
        return [f"{name}: the log is shorter than that now; acts were removed from its end."]
    return [] if roots[size] == kept else [f"{name}: the log began differently when it was signed."]


def _check_note(note: str, roots: dict[int, bytes], publics: set[bytes]) -> list[str]:
    _, size, top, _, _ = read_checkpoint(note)
    name = f"Checkpoint of {size} acts (kept elsewhere)"
    problems = []
    if not any(signed_by(note, public) for public in publics):
        problems.append(f"{name}: not signed by a key that this log knows.")
    if size not in roots:
        problems.append(f"{name}: the log is shorter than that now; acts were removed from its end.")
    elif roots[size] != top:
        problems.append(f"{name}: the log began differently when it was signed.")
    return problems


def _check_tiles(cursor: duckdb.DuckDBPyConnection, acts: int) -> list[str]:
    tiles = dict(cursor.execute("SELECT tile, hash FROM audit_tile").fetchall())
    problems = [f"The subtree {tile} is not that of any acts." for tile in sorted(tiles) if tile >= acts // TILE]
    roots = []
    for tile in range(acts // TILE):
        bounds = [tile * TILE, (tile + 1) * TILE]
        rows = cursor.execute(_LEAVES, bounds).fetchall()
        roots.append(root([row[0] for row in rows]))
        if tiles.get(tile) != roots[-1]:
            problems.append(f"The subtree over acts {bounds[0]} to {bounds[1] - 1} does not fit them.")
    per = WIDE // TILE
    for tile, kept in cursor.execute("SELECT tile, hash FROM audit_wide_tile ORDER BY tile").fetchall():
        if tile >= acts // WIDE or kept != root(roots[tile * per : (tile + 1) * per]):
            problems.append(f"The subtree over acts {tile * WIDE} to {(tile + 1) * WIDE - 1} does not fit them.")
    return problems


def _check_batches(
    cursor: duckdb.DuckDBPyConnection,
    batches: dict[int, tuple[str, int, int]],
    removed: Sequence[tuple[int, int]],
    problems: list[str],
) -> int:
    """Hash the archive once more; blocks behind the newest logged one are not logged yet and no problem."""
    import zstandard

    newest = max(batches, default=0)
    seen = set()
    for (block,) in cursor.execute("SELECT block FROM raw WHERE block <= ? ORDER BY block", [newest]).fetchall():
        if block in seen:
            problems.append(f"Block {block} stands twice in the archive: put in by hand.")
            continue
        body = cursor.execute(_BODY, [block]).fetchall()[0][0]
        if block not in batches:
            problems.append(f"Block {block} of the archive is in no act: put in by hand.")
            continue
        seen.add(block)
        told, count, seq = batches[block]
        try:
            events = unpack(body)
        except (zstandard.ZstdError, struct.error, MemoryError) as error:  # the bytes, a length, or the size it claims
            problems.append(f"Block {block} cannot be read: {error}.")
            continue
        if len(events) != count or batch_root(events).hex() != told:
            problems.append(f"Block {block} is not what act {seq} accepted: its events were altered.")
    for block in sorted(batches.keys() - seen):
        if not any(first <= block <= last for first, last in removed):
            problems.append(f"Block {block}, accepted by act {batches[block][2]}, is gone from the archive.")
    return len(seen)


def _cut(problems: Sequence[str]) -> tuple[str, ...]:
    if len(problems) <= _MOST:
        return tuple(problems)
    return (*problems[:_MOST], f"… and {len(problems) - _MOST:,} more.")
