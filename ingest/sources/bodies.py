"""Request bodies: what a producer may send, and how large it may become.

A body is inflated piece by piece with a bound, so that a few kilobytes never become gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from lineage.errors import MeshlineError

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib's own detection of either header
RAW_DEFLATE = -zlib.MAX_WBITS


class BodyError(MeshlineError):
    """A body that cannot be used; ``code`` is stable, ``status`` the HTTP answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a ``Content-Encoding``.

    Parameters
    ----------
    body
        what came over the wire.
    encoding
        value of the header; empty, ``identity``, ``gzip``, ``deflate`` or ``zstd``.
    limit
        most bytes the result may have.

    Raises
    ------
    BodyError
        415 for another encoding, 400 for damaged data, 413 when the result is too large.

    Examples
    --------
    >>> import gzip
    >>> inflate(gzip.compress(b"{}"), "gzip", 100)
    b'{}'
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        plain = body
    elif name in _DECODERS:
        plain = _DECODERS[name](body, limit)
    else:
        known = ", ".join(sorted(set(_DECODERS) - {"x-gzip"}))
        raise BodyError(
            415, "unknown-encoding", f"Content-Encoding “{name[:40]}” is not supported; use {known} or none."
        )
    if len(plain) > limit:
        raise too_large(limit)
    return plain


def too_large(limit: int) -> BodyError:
    """The answer to a body beyond the limit."""
    return BodyError(
        413, "too-large", f"The body has more than {limit:,} bytes (inflated). Send fewer events per request."
    )


def _gzip(body: bytes, limit: int) -> bytes:
    return _members(body, limit, GZIP_OR_ZLIB)


def _deflate(body: bytes, limit: int) -> bytes:
    """``deflate`` means a zlib stream; some clients send the bare one, so both are read."""
    zlib_header = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return _members(body, limit, GZIP_OR_ZLIB if zlib_header else RAW_DEFLATE)


def _members(body: bytes, limit: int, window: int) -> bytes:
    """Inflate one or more streams one behind the other."""
    parts: list[bytes] = []
    room = limit + 1
    rest = body
    while rest:
        stream = zlib.decompressobj(window)
        try:
            part = stream.decompress(rest, room)
        except zlib.error:
            raise _damaged() from None
        parts.append(part)
        room -= len(part)
        if room <= 0:
            raise too_large(limit)
        if not stream.eof:
            raise _damaged()
        rest = stream.unused_data
    if not parts:
        raise _damaged()
    return b"".join(parts)


def _zstd(body: bytes, limit: int) -> bytes:
    import zstandard

    reader = zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True)
    try:
        return reader.read(limit + 1)
    except zstandard.ZstdError:
        raise _damaged() from None


def _damaged() -> BodyError:
    return BodyError(400, "bad-encoding", "The compressed body is damaged or cut off; send it again.")


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
