from typing import Any

Buffer = Any  # anything with the buffer protocol; collections.abc.Buffer came with Python 3.12

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
