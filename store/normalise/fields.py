"""The fixed fields: what fits its column goes there, what does not is kept as `attr.NAME`."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl
import xxhash

from store.normalise.columns import distinct, extremes
from store.schema import (
    EXACT_FLOAT_MAX,
    FIXED,
    SEVERITIES,
    TYPE_SEVERITIES,
    severity_number,
)

Split = tuple[pl.Series, pl.Series | None]
"""The values that fit (the others null), and those that do not, when there are some."""

# What is filled in here alone; the same name from a sender is an attribute of his.
OURS: Final = frozenset({"received_time", "subject_hash", "source"})
_CLASSES: Final = {number: name for name, number in SEVERITIES.items()}


def fitted(name: str, values: pl.Series) -> Split:
    """`values` as the fixed column `name`, but for the times and the severity."""
    wanted = FIXED[name]
    if wanted == pl.String:
        return _texts(values)
    if wanted == pl.Boolean:
        return _only(values, values.dtype == pl.Boolean, wanted)
    if wanted == pl.UInt16:
        return _whole(values, 0, 2**16 - 1, pl.UInt16())
    return _numbers(values, least=1.0 if name == "sample_rate" else None)


def _only(values: pl.Series, fits: bool, wanted: pl.DataType) -> Split:
    if fits:
        return values, None
    return _nulls(values, wanted), values


def _nulls(values: pl.Series, kind: pl.DataType) -> pl.Series:
    return pl.Series(values.name, [None], dtype=kind).new_from_index(0, len(values))


def _texts(values: pl.Series) -> Split:
    if values.dtype == pl.String or values.dtype.is_integer():
        return values.cast(pl.String), None
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        return values.cast(pl.String), None
    return _only(values, False, pl.String())


def _numbers(values: pl.Series, least: float | None) -> Split:
    """Finite numbers that are exact as floats."""
    kind = values.dtype
    if not kind.is_numeric():
        return _only(values, False, pl.Float64())
    floats = values.cast(pl.Float64, strict=False)
    low, high = extremes(values)
    sound = low is None or (least or -EXACT_FLOAT_MAX) <= low <= high <= EXACT_FLOAT_MAX
    if sound and math.isfinite(floats.sum()):
        return floats, None
    whole = kind.is_integer()
    fits = values <= EXACT_FLOAT_MAX if whole else floats.is_finite()
    if kind.is_signed_integer():
        fits &= values >= -EXACT_FLOAT_MAX
    fits = fits if least is None else fits & (floats >= least)
    return _parted(values, floats, fits)


def _whole(values: pl.Series, least: int, most: int, wanted: pl.DataType) -> Split:
    if not values.dtype.is_numeric():
        return _only(values, False, wanted)
    fits = (values >= least) & (values <= most)
    if values.dtype.is_float():
        fits &= values == values.round(0)
    return _parted(values, values.cast(wanted, strict=False), fits)


def _parted(values: pl.Series, cast: pl.Series, fits: pl.Series) -> Split:
    fits = fits.fill_null(True)
    if fits.all():
        return cast, None
    return cast.set(~fits, None), values.set(fits, None)


def severities(columns: Mapping[str, pl.Series]) -> tuple[dict[str, pl.Series], pl.Series | None]:
    """`severity` and `severity_text`, where there are any, and what of `severity` is none.

    The number comes from `severity` (a name or OpenTelemetry's number), else from
    `severity_text`, else from a `level` in words, else from the event type; the text is the
    sender's, else the name of the class. A name that is not known is a text without a number.
    """
    given, text = columns.get("severity"), columns.get("severity_text")
    number, misfit = _nulls(columns["event_type"], pl.UInt8()), None
    if given is not None and given.dtype == pl.String:
        number, text = _by_name(given), given if text is None else _either(text, given)
    elif given is not None:
        number, misfit = _whole(given, 1, 24, pl.UInt8())
    for name in ("severity_text", "level"):
        said = columns.get(name)
        if said is not None and said.dtype == pl.String and number.null_count():
            number = _either(number, _by_name(said))
    if number.null_count():
        number = _either(number, _mapped(columns["event_type"], _of_type, pl.UInt8()))
    if number.null_count() < len(number) and (text is None or text.null_count()):
        classes = _mapped(number, _class, pl.String())
        text = classes if text is None else _either(text, classes)
    made = {"severity": number} | ({} if text is None else {"severity_text": text})
    return made, misfit


def _either(first: pl.Series, second: pl.Series) -> pl.Series:
    if first.null_count() in {0, len(first)}:
        return second if first.null_count() else first
    return first.zip_with(first.is_not_null(), second)


def _mapped(values: pl.Series, way: Callable[[Any], Any], kind: pl.DataType) -> pl.Series:
    """`way` of each distinct value; many values, few of them distinct."""
    found = {value: None if value is None else way(value) for value in distinct(values)}
    if len(set(found.values())) <= 1:
        one = pl.Series(values.name, [*found.values()][:1], dtype=kind)
        return one.new_from_index(0, len(values)) if len(values) else one
    return pl.Series(values.name, list(map(found.get, values.to_list())), dtype=kind)


def _by_name(values: pl.Series) -> pl.Series:
    return _mapped(values, severity_number, pl.UInt8())


def _of_type(event_type: str) -> int | None:
    return SEVERITIES.get(TYPE_SEVERITIES.get(event_type, ""))


def _class(number: int) -> str:
    return _CLASSES[(number - 1) // 4 * 4 + 1]


class SubjectHashes(dict[str | None, int | None]):
    """subject -> its 64-bit hash, which stays the same for ever; remembers up to a bound."""

    REMEMBERED_MAX: Final = 100_000

    def __missing__(self, subject: str | None) -> int | None:
        if not subject:
            return None
        if len(self) >= self.REMEMBERED_MAX:
            self.clear()
        hashed = self[subject] = xxhash.xxh3_64_intdigest(subject.encode())
        return hashed


_HASHES: Final = SubjectHashes()


def subject_hash(columns: Mapping[str, pl.Series]) -> pl.Series | None:
    """xxh3_64 of `user_id`, else of `install_id`; an empty text is none. None without either."""
    found = [columns[name] for name in ("user_id", "install_id") if name in columns]
    if not found:
        return None
    first = found[0]
    if len(found) == 2:
        first = first.zip_with(first.is_not_null() & (first != ""), found[1])
    hashes = list(map(_HASHES.__getitem__, first.to_list()))
    return pl.Series("subject_hash", hashes, dtype=pl.UInt64)
