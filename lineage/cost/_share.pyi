from typing import Any

def share(
    own: Any, keep: Any, order: Any, start: Any, component: Any, indptr: Any, indices: Any, weight: Any, /
) -> tuple[bytes, bytes, bytes]: ...
