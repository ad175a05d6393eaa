"""OVERFLOW: attributes past the bound of columns, kept as one JSON object an event.

A part with thousands of columns costs milliseconds a column on every commit and every open, and a
sender can make up names at will. So a part has at most ATTRIBUTE_COLUMNS_MAX attribute columns,
those with the most values; a scan reads the others out of the JSON.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import polars as pl

from store.parts.columns import attribute_name, wide_columns
from store.parts.widen import widest
from store.schema import (
    ATTRIBUTE_COLUMNS_MAX,
    ATTRIBUTE_PREFIX,
    EXACT_FLOAT_MAX,
    FIXED,
    OVERFLOW,
    as_text,
)

NAMES_LISTED_MAX: Final = 10_000
"""Names in OVERFLOW that a footer lists; further ones are found when asked for by name."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Folded:
    """Events within the bound, and what is inside OVERFLOW."""

    events: pl.DataFrame
    names: Mapping[str, pl.DataType] = field(default_factory=dict)
    wide: frozenset[str] = frozenset()
    """Names with integers past 2^53."""
    complete: bool = True
    """False when there are more names than a footer lists."""


def folded(events: pl.DataFrame) -> Folded:
    """`events` (as `storable` made them) with the attributes past the bound in OVERFLOW.

    An OVERFLOW that is there already is kept and joined; what in it is no JSON object lives on
    as the attribute `attr._overflow` inside it. Names with a NUL, which Arrow cannot hold, go
    there as well. Floats that JSON has no word for become the texts `NaN`, `inf`, `-inf`.
    """
    attributes = [name for name in events.columns if name not in FIXED and name != OVERFLOW]
    surplus = _surplus(events, attributes)
    if not surplus and OVERFLOW not in events.columns:
        return Folded(events)
    objects = _objects(events)
    kinds, wide = _kinds(objects)
    schema = events.schema
    for name in surplus:
        kinds[name].add(schema[name])
    wide |= wide_columns(events.select(surplus))
    read_as = {name: widest(found, wide=name in wide) for name, found in kinds.items()}
    mixed = {name for name, found in kinds.items() if len(found) > 1}
    narrow = _packed(events, objects, surplus, read_as, mixed)
    listed = dict(sorted(read_as.items())[:NAMES_LISTED_MAX])
    return Folded(narrow, listed, frozenset(wide), len(listed) == len(read_as))


def refolded(
    events: pl.DataFrame,
    surplus: Sequence[str],
    read_as: Mapping[str, pl.DataType],
    mixed: Collection[str],
) -> pl.DataFrame:
    """`events` with the columns `surplus` inside OVERFLOW, which may hold others already; values
    of the names `mixed` there become texts. `read_as` has the types of both.
    """
    return _packed(events, _objects(events), surplus, read_as, mixed)


def _packed(
    events: pl.DataFrame,
    objects: list[Values],
    surplus: Sequence[str],
    read_as: Mapping[str, pl.DataType],
    mixed: Collection[str],
) -> pl.DataFrame:
    for each in objects:
        each |= {name: _written(each[name], read_as[name]) for name in each.keys() & mixed}
    for name in surplus:
        _join(objects, events[name], read_as[name])
    texts = [orjson.dumps(each).decode() if each else None for each in objects]
    return events.drop(surplus).with_columns(pl.Series(OVERFLOW, texts, dtype=pl.String))


def _surplus(events: pl.DataFrame, attributes: Sequence[str]) -> list[str]:
    impossible = [name for name in attributes if "\0" in name]
    possible = [name for name in attributes if "\0" not in name]
    if len(possible) <= ATTRIBUTE_COLUMNS_MAX:
        return impossible
    fullest = sorted(possible, key=lambda name: (events[name].null_count(), name))
    return impossible + fullest[ATTRIBUTE_COLUMNS_MAX:]


def _objects(events: pl.DataFrame) -> list[Values]:
    """One object an event, out of the OVERFLOW that it came with."""
    if OVERFLOW not in events.columns:
        return [{} for _ in range(events.height)]
    return [_object(text) for text in events[OVERFLOW].cast(pl.String)]


def _object(text: str | None) -> Values:
    if text is None:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return {f"{ATTRIBUTE_PREFIX}{OVERFLOW}": text}
    return {
        attribute_name(name): _scalar(value) for name, value in found.items() if value is not None
    }


def _scalar(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value


def _kinds(objects: Sequence[Values]) -> tuple[dict[str, set[pl.DataType]], set[str]]:
    """The types of each name's values, and the names with integers past 2^53."""
    found: dict[str, set[pl.DataType]] = defaultdict(set)
    wide: set[str] = set()
    for each in objects:
        for name, value in each.items():
            kind, exact = _kind(value)
            found[name].add(kind)
            if not exact:
                wide.add(name)
    return found, wide


def _join(objects: Sequence[Values], column: pl.Series, kind: pl.DataType) -> None:
    """Puts the values of a column into the objects of their rows; most rows have none."""
    name, values = column.name, column.to_list()
    # Series methods cost 0.1 ms a column, of which there may be thousands; a list 10 ns a value.
    if column.dtype != kind or kind == pl.Float64:
        values = [None if value is None else _written(value, kind) for value in values]
    for row, value in enumerate(values):
        if value is not None:
            objects[row][name] = value


def _kind(value: Any) -> tuple[pl.DataType, bool]:
    match value:
        case bool():
            return pl.Boolean(), True
        case int():
            kind: pl.DataType = pl.Int64() if -(2**63) <= value < 2**63 else pl.UInt64()
            return kind, abs(value) <= EXACT_FLOAT_MAX
        case float():
            return pl.Float64(), True
    return pl.String(), True


def _written(value: Any, kind: pl.DataType) -> Any:
    """A value as JSON keeps it exactly; in a column of mixed types, as the text of group keys."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if kind != pl.String or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(pl.DataFrame({"x": [value]}).select(as_text("x", pl.Float64())).item())
    return str(value)
