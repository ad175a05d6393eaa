"""Texts, ids and numbers out of a run of bytes, each column in one go."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from store.otlp.wire import Fields, Octets, UnusualError, Whole, fixed
from store.schema import INSTANT

Flags = npt.NDArray[np.bool_]
_HEX: Final = np.frombuffer(
    b"".join(f"{octet:02x}".encode() for octet in range(256)), np.uint16
).copy()


def texts_at(data: Octets, starts: Whole, ends: Whole) -> Any:
    """The bytes that stand there, ascending, as an Arrow array.

    What lies between two of them counts as one as well, so that none has to be moved before Arrow
    takes every second one.
    """
    edges = np.empty(2 * len(starts), np.int32)
    edges[0::2], edges[1::2] = starts, ends
    buffers = [None, pa.py_buffer(edges), pa.py_buffer(data)]
    count = max(len(edges) - 1, 0)
    whole = pa.Array.from_buffers(pa.binary(), count, buffers)
    return whole.take(pa.array(np.arange(0, count, 2, dtype=np.int32)))


def text_series(found: Any, owners: Whole, count: int) -> pl.Series:
    """The bytes as texts, each at its owner's place, null elsewhere. UnusualError: no UTF-8."""
    try:
        texts = found.cast(pa.string())
    except pa.ArrowInvalid:
        raise UnusualError from None
    if not are_all(owners, count):
        places = np.zeros(count, np.int32)
        places[owners] = np.arange(len(owners), dtype=np.int32)
        texts = texts.take(pa.array(places, mask=~present(owners, count)))
    return pl.Series(texts)


def are_all(owners: Whole, count: int) -> bool:
    """Whether it is all of them in their order."""
    return len(owners) == count and bool((owners[1:] > owners[:-1]).all())


def present(owners: Whole, count: int) -> Flags:
    """Which of them are among the owners."""
    found = np.zeros(count, np.bool_)
    found[owners] = True
    return found


def text_of(fields: Fields, number: int, *, null_when_empty: bool = True) -> pl.Series | None:
    """A field of texts; None where no message has one."""
    found = fields.one_of_each(number, 2)
    if null_when_empty:
        found = found[fields.ends[found] > fields.starts[found]]
    if not len(found):
        return None
    found = found[np.argsort(fields.starts[found], kind="stable")]
    texts = texts_at(fields.data, fields.starts[found], fields.ends[found])
    return text_series(texts, fields.owners[found], fields.count)


def hex_of(fields: Fields, number: int, size: int) -> pl.Series | None:
    """A field of ids, all of this size; those that are zero are none. UnusualError: another size."""
    found = fields.one_of_each(number, 2)
    found = found[fields.ends[found] > fields.starts[found]]
    if not len(found):
        return None
    starts = fields.starts[found]
    if (fields.ends[found] - starts != size).any():
        raise UnusualError
    ids = np.zeros(fields.count, f"V{size}")
    ids[fields.owners[found]] = fixed(fields.data, starts, f"V{size}")
    octets = ids.view(np.uint8).reshape(fields.count, size)
    edges = np.arange(0, (fields.count + 1) * 2 * size, 2 * size, dtype=np.int32)
    digits = pa.py_buffer(_HEX[octets])
    texts = pa.Array.from_buffers(pa.string(), fields.count, [None, pa.py_buffer(edges), digits])
    return but(pl.Series(texts), np.asarray(~octets.any(axis=1)))


def merged(first: pl.Series | None, second: pl.Series | None) -> pl.Series | None:
    """The values of both, which are in different rows."""
    if first is None or second is None:
        return second if first is None else first
    return first.zip_with(first.is_not_null(), second)


def but(values: pl.Series, is_none: Flags) -> pl.Series:
    """Null where it says so."""
    return values.set(pl.Series(is_none), None) if is_none.any() else values


def instants_of(nanoseconds: Whole) -> pl.Series:
    """Unix nanoseconds, cut to microseconds; null for 0, which says nothing."""
    micros = (nanoseconds.view(np.uint64) // np.uint64(1_000)).view(np.int64)
    return but(pl.Series(micros).cast(INSTANT), micros == 0)


def whole_of(numbers: Whole, kind: Any = np.uint64) -> pl.Series | None:
    """Null for 0; None when all are."""
    if not numbers.any():
        return None
    return but(pl.Series(numbers.astype(np.int64).view(kind)), numbers == 0)
