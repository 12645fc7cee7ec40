"""Arrow columns to numpy arrays and back, straight from and to their buffers.

pyarrow's own way (``to_numpy``, ``pa.array``) looks for pandas first, and its import takes longer than most questions,
in every command of everybody who has it installed. Its functions of :mod:`pyarrow.compute`, ``take`` and ``filter``
among them, cost 30 ms before the first is called, so what a single question needs for a few rows is done here without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

FEW = 1_000  # texts that are taken one by one: half a millisecond
_MANY = 20_000  # texts from which on codes are found by pyarrow
_DTYPES = {
    **{f"{sign}int{bits}": f"{sign[:1] or 'i'}{bits // 8}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "halffloat": "f2",
    "float": "f4",
    "double": "f8",
    "date32[day]": "M8[D]",
    **{f"timestamp[{unit}]": f"M8[{unit}]" for unit in ("s", "ms", "us", "ns")},
    **{f"duration[{unit}]": f"m8[{unit}]" for unit in ("s", "ms", "us", "ns")},
}
_DAYS = np.dtype("M8[D]")  # 32 bits in Arrow, 64 here


def numbers(column: pa.Array | pa.ChunkedArray, null: Any = None) -> npt.NDArray[Any]:
    """A column of numbers, times or truth values as a numpy array; not to be written to.

    Parameters
    ----------
    column
        an Arrow column of fixed width; decimals become ``float64``.
    null
        what stands where it is NULL. Default: NaN, for which integers and truth values become ``float64``, and NaT.

    Raises
    ------
    TypeError
        for a column of texts or anything else that is no number.

    Examples
    --------
    >>> import pyarrow as pa
    >>> numbers(pa.array([1, None, 3])), numbers(pa.array([1, None, 3]), 0)
    (array([ 1., nan,  3.]), array([1, 0, 3]))
    """
    if str(column.type).startswith("decimal"):
        column = column.cast("float64")
    pieces = getattr(column, "chunks", [column])
    if len(pieces) == 1:
        return _piece(pieces[0], null, nullable=pieces[0].null_count > 0)
    nullable = column.null_count > 0
    found = [_piece(piece, null, nullable=nullable) for piece in pieces]
    return np.concatenate(found) if found else np.zeros(0, dtype=_dtype(column.type))


def _dtype(kind: pa.DataType) -> np.dtype[Any]:
    name = str(kind)
    zone = name.find(", tz=")  # instants are UTC whatever zone they are shown in
    known = _DTYPES.get(name if zone < 0 else f"{name[:zone]}]", "?" if name == "bool" else None)
    if known is None:
        raise TypeError(f"A column of {kind} is no column of numbers.")
    return np.dtype(known)


def _piece(piece: pa.Array, null: Any, *, nullable: bool) -> npt.NDArray[Any]:
    dtype, low, high = _dtype(piece.type), piece.offset, piece.offset + len(piece)
    validity, data = piece.buffers()
    if data is None or low == high:
        values: npt.NDArray[Any] = np.zeros(high - low, dtype=dtype)
    elif dtype == np.bool_:
        values = _bits(data, low, high)
    elif dtype == _DAYS:
        values = np.frombuffer(data, dtype=np.int32, count=high)[low:].astype(dtype)
    else:
        values = np.frombuffer(data, dtype=dtype, count=high)[low:]
    if not nullable:
        return values
    if null is None:
        values = values.astype(dtype if dtype.kind in "fMm" else np.float64)
        null = np.datetime64("NaT") if dtype.kind == "M" else np.timedelta64("NaT") if dtype.kind == "m" else np.nan
    else:
        values = values.copy()
    if piece.null_count:
        values[~_bits(validity, low, high)] = null
    return values


def _bits(buffer: pa.Buffer, low: int, high: int) -> npt.NDArray[np.bool_]:
    first, last = low // 8, -(-high // 8)
    packed = np.frombuffer(buffer, dtype=np.uint8, count=last)[first:]
    found = np.unpackbits(packed, bitorder="little")[low - 8 * first : high - 8 * first]
    return found.view(np.bool_)


def array_of(values: npt.NDArray[Any], mask: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """A numpy array of numbers or truth values as an Arrow array; numbers are shared, not copied.

    Parameters
    ----------
    values
        one dimension.
    mask
        where it is NULL; ``None``: nowhere.

    Examples
    --------
    >>> array_of(np.array([7, 8]), np.array([False, True])).to_pylist()
    [7, None]
    """
    import pyarrow as pa

    validity = None if mask is None else pa.py_buffer(np.packbits(~mask, bitorder="little"))
    data = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(data)])


def array_of_texts(texts: Sequence[str | None]) -> pa.Array:
    """Some texts as an Arrow array; one of them, ``[0]``, is a scalar for a function of :mod:`pyarrow.compute`.

    Raises
    ------
    UnicodeEncodeError
        for half a letter.

    Examples
    --------
    >>> array_of_texts(["ä", None]).to_pylist()
    ['ä', None]
    """
    import pyarrow as pa

    raw = [b"" if text is None else text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, raw)], dtype=np.int32)
    mask = np.array([text is not None for text in texts], dtype=bool)
    validity = None if mask.all() else pa.py_buffer(np.packbits(mask, bitorder="little"))
    return pa.StringArray.from_buffers(len(raw), pa.py_buffer(ends), pa.py_buffer(b"".join(raw)), validity)


def coded(
    column: pa.Array | pa.ChunkedArray, positions: npt.NDArray[np.int64] | None = None
) -> tuple[npt.NDArray[np.int32], list[str | None]]:
    """Texts as numbers: the code of each row, and the text of each code, in the order in which they are met.

    Parameters
    ----------
    column
        texts.
    positions
        of which rows; ``None``: of all.

    Examples
    --------
    >>> import pyarrow as pa
    >>> codes, texts = coded(pa.chunked_array([["b", None], ["b"]]))
    >>> codes.tolist(), texts
    ([0, 1, 0], ['b', None])
    """
    if (len(column) if positions is None else len(positions)) > _MANY:
        found = whole(column if positions is None else column.take(array_of(positions))).dictionary_encode("encode")
        return numbers(found.indices), found.dictionary.to_pylist()
    known: dict[str | None, int] = {}
    texts = column.to_pylist() if positions is None else texts_at(column, positions)
    return np.array([known.setdefault(text, len(known)) for text in texts], dtype=np.int32), list(known)


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The same column in one piece."""
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


def texts_at(column: pa.Array | pa.ChunkedArray, positions: npt.NDArray[np.integer[Any]]) -> list[Any]:
    """Texts at some positions.

    Examples
    --------
    >>> import pyarrow as pa
    >>> texts_at(pa.array(["a", "b", "c"]), np.array([2, 0]))
    ['c', 'a']
    """
    if len(positions) > FEW:
        found: list[Any] = column.take(array_of(positions)).to_pylist()
        return found
    return [column[at].as_py() for at in positions.tolist()]
