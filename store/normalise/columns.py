"""JSON values to raw columns, each of one type, without a value changed.

A column of one kind keeps it. Integers and floats meet in floats where that is exact; other mixed
kinds meet in text, but a fixed field (store.schema) keeps those that fit and the others go to
`attr.NAME`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import polars as pl
import pyarrow.compute as pc

from store.normalise.flatten import InexactError
from store.normalise.json_text import UNSAFE_FLOAT_MIN, dumps
from store.schema import ATTRIBUTE_PREFIX, EXACT_FLOAT_MAX, FIXED, arrow_values

Values = Sequence[Any]
_Fits = Callable[[Any], bool]
_TEXT_KINDS: Final = frozenset({str, int})
_NONE: Final = type(None)
_FEW: Final = 16


def columns_of(name: str, values: Values, names: set[str], *, exact: bool) -> list[pl.Series]:
    """The column that `values` make; two for a fixed field with some that do not fit it; none
    where all are None. A name that is made up is unlike `names`, and among them afterwards.
    Without `exact`, InexactError where a float may be a rounded integer.
    """
    if type(values[0]) is str:
        try:
            return [pl.Series(name, values, dtype=pl.String, strict=True)]
        except (TypeError, OverflowError):
            pass  # not all of them are text: found out at no cost where all are
    kinds = set(map(type, values)) - {_NONE}
    fits = _FITS.get(type(FIXED[name])) if name in FIXED else None
    if fits is None or len(kinds) <= 1 or (fits is _fits_text and kinds == _TEXT_KINDS):
        column = typed(name, values, kinds, exact=exact)
        return [] if column is None else [column]
    parts = (
        (name, [value if fits(value) else None for value in values]),
        (free_name(ATTRIBUTE_PREFIX + name, names), [None if fits(v) else v for v in values]),
    )
    columns = (typed(n, v, set(map(type, v)) - {_NONE}, exact=exact) for n, v in parts)
    return [column for column in columns if column is not None]


def _fits_text(value: Any) -> bool:
    return type(value) in _TEXT_KINDS


def _fits_float(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) <= EXACT_FLOAT_MAX)


# Which of a mixed column's values a fixed field takes; one that is not here takes any, as text.
_FITS: Final[Mapping[type, _Fits]] = {
    pl.String: _fits_text,
    pl.Float64: _fits_float,
    pl.UInt16: lambda value: type(value) is int,
    pl.Boolean: lambda value: type(value) is bool,
}


def typed(name: str, values: Values, kinds: set[type], *, exact: bool) -> pl.Series | None:
    """`values`, whose types are `kinds` (and None), as the narrowest exact column; None: empty."""
    if not kinds:
        return None
    if kinds == {str}:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int}:
        return _integers(name, values)
    if kinds == {float} or (kinds == {int, float} and _exact_as_floats(values)):
        floats = pl.Series(name, values, dtype=pl.Float64)
        low, high = extremes(floats)
        _refuse_rounded(exact or -UNSAFE_FLOAT_MIN < low <= high < UNSAFE_FLOAT_MIN)
        return floats
    numbers = (value for value in values if type(value) is float)
    _refuse_rounded(exact or all(abs(number) < UNSAFE_FLOAT_MIN for number in numbers))
    return _texts(name, values)


def extremes(values: pl.Series) -> tuple[Any, Any]:
    """The smallest and the largest; None twice where there are none."""
    return values.min(), values.max()


def distinct(values: pl.Series) -> list[Any]:
    """Each value once, null among them. By Arrow: a Polars expression costs five times as much on
    a thousand rows; and Arrow more than Python does on a few.
    """
    if len(values) <= _FEW:
        return list(dict.fromkeys(values.to_list()))
    found: list[Any] = pc.unique(arrow_values(values)).to_pylist()
    return found


def longest(texts: pl.Series) -> int:
    """The most bytes that one of the texts has."""
    if len(texts) <= _FEW:
        return max((len(text.encode()) for text in texts.to_list() if text), default=0)
    return pc.max(pc.binary_length(arrow_values(texts))).as_py() or 0


def _refuse_rounded(safe: bool) -> None:
    if not safe:
        raise InexactError


def _integers(name: str, values: Values) -> pl.Series:
    for kind in (pl.Int64, pl.UInt64):
        try:
            return pl.Series(name, values, dtype=kind, strict=True)
        except (TypeError, OverflowError):
            continue
    return _texts(name, values)


def _exact_as_floats(values: Values) -> bool:
    return all(abs(value) <= EXACT_FLOAT_MAX for value in values if type(value) is int)


def _texts(name: str, values: Values) -> pl.Series:
    return pl.Series(name, [None if v is None else _text(v) for v in values], dtype=pl.String)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_FLOAT_MAX:
        return str(int(value))
    return dumps(value)


def free_name(name: str, taken: set[str]) -> str:
    """`name`, with as many `attr.` before it as it takes to be unlike all others; notes it."""
    while name in taken:
        name = ATTRIBUTE_PREFIX + name
    taken.add(name)
    return name
