from typing import Any

Buffer = Any  # anything with the buffer protocol; collections.abc.Buffer came with Python 3.12

def sort_ids(ids: Buffer, /) -> tuple[bytes, bytes]: ...
def find_ids(sorted: Buffer, wanted: Buffer, /) -> bytes: ...
def sort_keys(keys: Buffer, bound: int, order: Buffer | None, /) -> bytes: ...
def sort_inside(keys: Buffer, parts: Buffer, /) -> bytes: ...
def renumber(
    first: int, indptr: Buffer, indices: Buffer, order: Buffer, rank: Buffer, /
) -> tuple[int, bytes, bytes]: ...
def take(values: Buffer, positions: Buffer, /) -> Buffer: ...
def find(values: Buffer, wanted: int, /) -> int: ...
def hops(levels: Buffer, /) -> Buffer: ...
def widely(yes: bool, /) -> bool: ...
def order_vertices(
    n: int,
    first_down: int,
    indptr_down: Buffer,
    indices_down: Buffer,
    first_up: int,
    indptr_up: Buffer,
    indices_up: Buffer,
    /,
) -> tuple[bytes, bytes, int]: ...

class Graph:
    def __new__(
        cls,
        n: int,
        first: int,
        indptr: Buffer,
        indices: Buffer,
        zero_first: int,
        zero_indptr: Buffer | None,
        zero_indices: Buffer | None,
        names: Buffer,
        backwards: bool,
        /,
    ) -> Graph: ...
    @property
    def classes(self) -> int: ...
    def bfs(
        self,
        seeds: Buffer,
        grades: Buffer,
        late: Buffer,
        late_grades: Buffer,
        mask: int,
        depth: int,
        limit: int,
        closed: Buffer | None,
        /,
    ) -> tuple[Buffer, Buffer, Buffer, bytes, Buffer | None, bool]: ...
    def closure(self, vertices: Buffer, k: int, mask: int, closed: Buffer | None, /) -> Buffer: ...
    def path(
        self, reverse: Graph, seeds: Buffer, late: Buffer, targets: Buffer, mask: int, closed: Buffer | None, /
    ) -> bytes | None: ...
    def among(self, answer: Buffer, mask: int, closed: Buffer | None, /) -> tuple[int, int, bytes]: ...
    def reach(self, reverse: Graph, sources: Buffer, mask: int, counted: Buffer, /) -> bytes: ...
    def look_up(self, members: Buffer, values: Buffer, asked: Buffer, /) -> bytes: ...
