"""The Merkle tree over the acts of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.audit.merkle import EMPTY, consistency_proof, inclusion_proof, node_hash, root, split

if TYPE_CHECKING:
    import duckdb

TILE = 256  # leaves of a stored subtree
_TILES = "SELECT hash FROM audit_tile WHERE tile < ? ORDER BY tile  -- one complete subtree"
_LAST = """
-- last act: one row; the subtrees tell where to look for it, so that the log is not read as a whole
SELECT max(seq) FROM audit WHERE seq + 1 >= (SELECT coalesce(max(tile) + 1, 0) * 256 FROM audit_tile)
"""
_LEAVES = "SELECT leaf_hash FROM audit WHERE seq >= ? AND seq < ? ORDER BY seq  -- one act"


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
        self._tiles: list[bytes] = [row[0] for row in cursor.execute(_TILES, [self.size // TILE]).fetchall()]
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
            if end - start == TILE and start // TILE < len(self._tiles):
                return self._tiles[start // TILE]
            tile = start // TILE * TILE
            return root(self._tile_leaves(tile)[start - tile : end - tile])
        if (start, end) not in self._roots:
            self._roots[start, end] = self._wide_root(start, end)
        return self._roots[start, end]

    def _wide_root(self, start: int, end: int) -> bytes:
        width = end - start
        if not width & width - 1 and end // TILE <= len(self._tiles):  # complete: its subtrees are leaves of their own
            return root(self._tiles[start // TILE : end // TILE])
        middle = start + split(width)
        return node_hash(self.range_root(start, middle), self.range_root(middle, end))

    def _tile_leaves(self, tile: int) -> list[bytes]:
        if tile not in self._leaves:
            rows = self._cursor.execute(_LEAVES, [tile, min(tile + TILE, self.size)]).fetchall()
            self._leaves[tile] = [row[0] for row in rows]
        return self._leaves[tile]


def _count(cursor: duckdb.DuckDBPyConnection) -> int:
    """Number of acts."""
    for sql in (_LAST, "SELECT max(seq) FROM audit"):  # a subtree that somebody wrote by hand may lie beyond all acts
        found = cursor.execute(sql).fetchall()[0][0]
        if found is not None:
            return int(found) + 1
    return 0
