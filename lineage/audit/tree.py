"""The Merkle tree over the acts of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.audit.merkle import EMPTY, consistency_proof, inclusion_proof, node_hash, root, split

if TYPE_CHECKING:
    import duckdb

TILE = 256  # leaves of a stored subtree
WIDE = TILE * TILE  # leaves of a stored subtree of subtrees
_TILES = "SELECT hash FROM audit_tile WHERE tile >= ? AND tile < ? ORDER BY tile  -- one complete subtree"
_WIDE_TILES = "SELECT tile, hash FROM audit_wide_tile WHERE tile < ?  -- one complete subtree of subtrees"
_NEWEST_TILE = "SELECT max(tile) FROM audit_tile  -- one row"
_LAST = "SELECT max(seq) FROM audit WHERE seq >= ?  -- one row: the last act"
_LEAVES = "SELECT seq, leaf_hash FROM audit WHERE seq >= ? AND seq < ?  -- one act; sorted here, which is less work"


class Tree:
    """The first ``size`` acts as a Merkle tree; reads the stored subtrees and only the leaves it needs.

    Parameters
    ----------
    cursor
        a cursor on which all reads see one state.
    size
        number of acts; default: all.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, size: int | None = None) -> None:
        self._cursor = cursor
        self.size = _count(cursor) if size is None else size
        self._wide: dict[int, bytes] = dict(cursor.execute(_WIDE_TILES, [self.size // WIDE]).fetchall())
        self._tiles: dict[int, list[bytes]] = {}  # by the wide subtree that they are part of
        self._leaves: dict[int, list[bytes]] = {}
        self._roots: dict[tuple[int, int], bytes] = {}  # of what is wider than a stored subtree

    @property
    def root(self) -> bytes:
        """Root of the tree."""
        return self.range_root(0, self.size) if self.size else EMPTY

    def inclusion(self, seq: int) -> list[bytes]:
        """Proof that act ``seq`` is in the log."""
        return inclusion_proof(seq, self.size, self.range_root)

    def consistency(self, old: int) -> list[bytes]:
        """Proof that the log of the first ``old`` acts was only added to."""
        return consistency_proof(old, self.size, self.range_root)

    def range_root(self, start: int, end: int) -> bytes:
        """Root of the acts ``start`` … ``end - 1``; as the tree splits, so ``start`` is a multiple of the width."""
        if end - start <= TILE:
            tile = start // TILE
            if end - start == TILE and tile < self.size // TILE and (stored := self._tile_roots(tile, tile + 1)):
                return stored[0]
            first = tile * TILE
            return root(self._tile_leaves(first)[start - first : end - first])
        if (start, end) not in self._roots:
            self._roots[start, end] = self._wide_root(start, end)
        return self._roots[start, end]

    def _wide_root(self, start: int, end: int) -> bytes:
        width = end - start
        complete = not width & width - 1 and end <= self.size // TILE * TILE
        if complete and (stored := self._stored(start, end)):  # its subtrees are leaves of their own
            return root(stored)
        middle = start + split(width)
        return node_hash(self.range_root(start, middle), self.range_root(middle, end))

    def _stored(self, start: int, end: int) -> list[bytes]:
        """Roots of the widest stored subtrees that acts ``start`` … ``end - 1`` are made of; empty when one lacks."""
        if end - start >= WIDE:
            wide = range(start // WIDE, end // WIDE)
            return [self._wide[tile] for tile in wide] if self._wide.keys() >= set(wide) else []
        return self._tile_roots(start // TILE, end // TILE)

    def _tile_roots(self, first: int, end: int) -> list[bytes]:
        """Roots of some subtrees within one wide one; empty when one lacks."""
        per = WIDE // TILE
        group = first // per
        if group not in self._tiles:
            bounds = [group * per, min((group + 1) * per, self.size // TILE)]
            self._tiles[group] = [row[0] for row in self._cursor.execute(_TILES, bounds).fetchall()]
        found = self._tiles[group][first - group * per : end - group * per]
        return found if len(found) == end - first else []

    def _tile_leaves(self, tile: int) -> list[bytes]:
        if tile not in self._leaves:
            rows = self._cursor.execute(_LEAVES, [tile, min(tile + TILE, self.size)]).fetchall()
            self._leaves[tile] = [row[1] for row in sorted(rows)]
        return self._leaves[tile]


def _count(cursor: duckdb.DuckDBPyConnection) -> int:
    """Number of acts; the subtrees tell where to look for the last, so that the log is not read as a whole."""
    newest = cursor.execute(_NEWEST_TILE).fetchall()[0][0]
    begin = 0 if newest is None else (newest + 1) * TILE - 1
    for least in (begin, 0):  # a subtree that somebody wrote by hand may lie beyond all acts
        found = cursor.execute(_LAST, [least]).fetchall()[0][0]
        if found is not None:
            return int(found) + 1
    return 0
