"""JSON objects to raw columns, each of one type, without a value changed.

A column of one kind keeps it. Integers and floats meet in floats where that is exact; other mixed
kinds meet in text, but a fixed field (store.schema) keeps those that fit and the others go to
`attr.NAME`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final

import polars as pl
import pyarrow.compute as pc

from store.normalise.flatten import InexactError
from store.normalise.json_text import UNSAFE_FLOAT_MIN, dumps
from store.schema import (
    ATTRIBUTE_COLUMNS_MAX,
    ATTRIBUTE_PREFIX,
    EXACT_FLOAT_MAX,
    FIXED,
    OVERFLOW,
)

Values = Sequence[Any]
NamesOf = Callable[[str], tuple[str, ...]]
_Fits = Callable[[Any], bool]
_TEXT_KINDS: Final = frozenset({str, int})
_NONE: Final = type(None)


def same_name(key: str) -> tuple[str, ...]:
    return (key,)


def raw_columns(
    events: Sequence[dict[str, Any]],
    names: set[str],
    names_of: NamesOf = same_name,
    *,
    exact: bool,
) -> list[pl.Series]:
    """One column, or two, for each of the `names` in flat `events`, but for those without a value.

    `names_of` a key are the columns that it goes to. Names past ATTRIBUTE_COLUMNS_MAX, the rarest
    of them, share the JSON column OVERFLOW. Without `exact`, InexactError where a float may be a
    rounded integer.
    """
    if len(names) > ATTRIBUTE_COLUMNS_MAX:
        events, names = _folded(events, names, names_of)
    columns: list[pl.Series] = []
    for key in sorted(names):
        values = list(map(dict.get, events, repeat(key)))
        for name in names_of(key):
            # Polars gives a column without a name one of its own.
            called = name or free_name(ATTRIBUTE_PREFIX, names)
            columns.extend(_columns(called, values, names, exact=exact))
    return columns


def _columns(name: str, values: Values, names: set[str], *, exact: bool) -> list[pl.Series]:
    if type(values[0]) is str:
        try:
            return [pl.Series(name, values, dtype=pl.String, strict=True)]
        except TypeError:
            pass  # not all of them are text: found out at no cost where all are
    kinds = set(map(type, values)) - {_NONE}
    fits = _FITS.get(type(FIXED[name])) if name in FIXED else None
    if fits is None or len(kinds) == 1 or (fits is _fits_text and kinds == _TEXT_KINDS):
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
    a thousand rows.
    """
    found: list[Any] = pc.unique(values.to_arrow()).to_pylist()
    return found


def longest(texts: pl.Series) -> int:
    """The most bytes that one of the texts has."""
    return pc.max(pc.binary_length(texts.to_arrow())).as_py() or 0


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


def _folded(
    events: Sequence[dict[str, Any]], names: set[str], names_of: NamesOf
) -> tuple[Sequence[dict[str, Any]], set[str]]:
    """The events with all but the most frequent attributes inside OVERFLOW."""
    settled = {name for name in names if name in FIXED or names_of(name) != (name,)}
    counts = Counter(name for name in chain.from_iterable(events) if name not in settled)
    if len(counts) <= ATTRIBUTE_COLUMNS_MAX:
        return events, names
    kept = {name for name, _ in counts.most_common(ATTRIBUTE_COLUMNS_MAX)} | settled
    kept.discard(OVERFLOW)
    folded: list[dict[str, Any]] = []
    for event in events:
        rest = {k: _within_json(v) for k, v in event.items() if k not in kept and v is not None}
        row = {k: v for k, v in event.items() if k in kept}
        folded.append(row | {OVERFLOW: dumps(rest)} if rest else row)
    return folded, set().union(*folded)


def _within_json(value: Any) -> Any:
    """Integers that readers of JSON would round are kept as text, as they are in a column."""
    return str(value) if type(value) is int and not -(2**63) <= value < 2**64 else value
