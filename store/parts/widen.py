"""One type for a column that parts disagree on, so that every value comes through exactly."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import polars as pl

from store.parts.part import Part
from store.schema import FIXED, OVERFLOW, widened


def widest(kinds: Iterable[pl.DataType], *, wide: bool) -> pl.DataType:
    """The narrowest type for all `kinds`; with `wide` integers past 2^53 never a float."""
    found = set(kinds)
    kind = widened(found)
    inexact = wide and kind == pl.Float64() and found != {pl.Float64()}
    return pl.String() if inexact else kind


def column_types(
    parts: Sequence[Part], columns: Collection[str] | None = None
) -> dict[str, pl.DataType]:
    """The columns of `parts`, and what is inside OVERFLOW, with the types that a scan of these
    parts gives them: the fixed ones first, then the attributes by name. With `columns`, those
    alone; what no part has is absent.
    """
    kinds: dict[str, set[pl.DataType]] = {}
    wide: set[str] = set()
    for layout in distinct_layouts(parts):
        for name, kind in layout.items():
            kinds.setdefault(name, set()).add(kind)
    for part in parts:
        wide |= part.wide
    kinds.pop(OVERFLOW, None)
    asked = kinds.keys() if columns is None else kinds.keys() & set(columns)
    fixed = [name for name in FIXED if name in asked]
    ordered = fixed + sorted(asked - set(fixed))
    return {name: widest(kinds[name], wide=name in wide) for name in ordered}


def distinct_layouts(parts: Iterable[Part]) -> list[Mapping[str, pl.DataType]]:
    """Each mapping of columns once: the catalog shares equal ones among parts."""
    found = {id(layout): layout for part in parts for layout in (part.columns, part.overflow)}
    return list(found.values())
