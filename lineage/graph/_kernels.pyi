from typing import Any

Buffer = Any  # anything with the buffer protocol; collections.abc.Buffer came with Python 3.12

def sort_ids(ids: Buffer, /) -> tuple[bytes, bytes]: ...
def find_ids(sorted: Buffer, wanted: Buffer, /) -> bytes: ...
def sort_keys(keys: Buffer, bound: int, order: Buffer | None, /) -> bytes: ...
def sort_inside(keys: Buffer, parts: Buffer, /) -> bytes: ...
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
        public: Buffer,
        /,
    ) -> Graph: ...
    def bfs(
        self, seeds: Buffer, late: Buffer, mask: int, depth: int, limit: int, blocked: Buffer | None, /
    ) -> tuple[bytes, bytes, bytes, int, int, int, bool]: ...
    def among(self, answer: Buffer, mask: int, blocked: Buffer | None, /) -> tuple[int, int, bytes]: ...
    def contains(self, members: Buffer, asked: Buffer, /) -> bytes: ...
    def grade(
        self, closure: Buffer, mask: int, backwards: int, roots: Buffer, grades: Buffer, asked: Buffer, /
    ) -> bytes: ...
