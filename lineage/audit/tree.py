"""The Merkle tree over the acts of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.audit.merkle import EMPTY, consistency_proof, inclusion_proof, node_hash, root, split

if TYPE_CHECKING:
    import duckdb

TILE = 256  # leaves of a stored subtree
_TILES = "SELECT hash FROM audit_tile WHERE tile < ? ORDER BY tile  -- one complete subtree"
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
        found = cursor.execute("SELECT coalesce(max(seq) + 1, 0) FROM audit").fetchall()
        self.size = int(found[0][0]) if size is None else size
        self._tiles: list[bytes] = [row[0] for row in cursor.execute(_TILES, [self.size // TILE]).fetchall()]
        self._leaves: dict[int, list[bytes]] = {}

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
        middle = start + split(end - start)
        return node_hash(self.range_root(start, middle), self.range_root(middle, end))

    def _tile_leaves(self, tile: int) -> list[bytes]:
        if tile not in self._leaves:
            rows = self._cursor.execute(_LEAVES, [tile, min(tile + TILE, self.size)]).fetchall()
            self._leaves[tile] = [row[0] for row in rows]
        return self._leaves[tile]
