"""The columns of a merged part: types widened, what is past the bound folded into OVERFLOW."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import polars as pl

from store.parts.overflow import NAMES_LISTED_MAX, refolded
from store.parts.part import Part
from store.parts.scan import scan
from store.parts.widen import column_types, widest
from store.schema import ATTRIBUTE_COLUMNS_MAX, FIXED, OVERFLOW, as_text
from store.timespan import TimeSpan

_TEXT: Final = pl.String()


@dataclass(frozen=True, slots=True)
class MergedColumns:
    """What a merge of parts has, as one scan of them gives it; made of footers, but for integers
    of both signs past 2^63, which no stored type holds.
    """

    schema: Mapping[str, pl.DataType]
    """Of the new part, in the order of its columns."""
    surplus: tuple[str, ...]
    """Columns of the sources that are inside OVERFLOW from now on."""
    inside: Mapping[str, pl.DataType]
    """What is inside OVERFLOW, as far as the sources' footers tell."""
    mixed: frozenset[str]
    """Names inside OVERFLOW whose values must become texts, since their types differ."""
    wide: frozenset[str]
    complete: bool
    """Whether `listed` is all that is inside OVERFLOW."""

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "MergedColumns":
        types = _storable(column_types(bare(parts)), parts)
        surplus = _surplus(parts, types)
        found = _inside(parts, surplus)
        wide = frozenset[str]().union(*(part.wide for part in parts))
        inside = {name: _packed_as(found[name], wide=name in wide) for name in sorted(found)}
        kept = {name: kind for name, kind in types.items() if name not in surplus}
        is_packed = surplus or any(OVERFLOW in part.columns for part in parts)
        integers = {n for n, kind in [*kept.items(), *inside.items()] if kind.is_integer()}
        return cls(
            schema=kept | ({OVERFLOW: pl.String()} if is_packed else {}),
            surplus=tuple(surplus),
            inside=inside,
            mixed=frozenset(n for n, kind in inside.items() if kind == _TEXT and len(found[n]) > 1),
            wide=wide & integers,
            complete=len(inside) <= NAMES_LISTED_MAX and all(p.overflow_complete for p in parts),
        )

    @property
    def listed(self) -> Mapping[str, pl.DataType]:
        """What the footer has room for."""
        return dict(islice(self.inside.items(), NAMES_LISTED_MAX))

    def read(self, parts: Sequence[Part], span: TimeSpan, *, rows: bool = False) -> pl.LazyFrame:
        """The events of a span with all columns of `parts`, which are `bare`, PART and, with
        `rows`, ROW.
        """
        return scan(parts, [*self.schema, *self.surplus], span, rows=rows)

    def settled(self, events: pl.DataFrame) -> pl.DataFrame:
        """What `read` gave as the new part stores it, without PART."""
        if self.surplus or self.mixed:
            events = refolded(events, self.surplus, self.inside, self.mixed)
        types = events.schema
        differing = [name for name, kind in self.schema.items() if types[name] != kind]
        casts = [_cast(name, types[name], self.schema[name]) for name in differing]
        return events.with_columns(casts).select(self.schema.keys())


def bare(parts: Sequence[Part]) -> list[Part]:
    """As if nothing were known of what is inside OVERFLOW: then a scan leaves it as it stands."""
    return [replace(part, overflow={}, overflow_complete=True) for part in parts]


def _storable(types: Mapping[str, pl.DataType], parts: Sequence[Part]) -> Mapping[str, pl.DataType]:
    """Int64 and UInt64 meet in Int128, which Parquet lacks: without a negative value UInt64 will
    do, else it is text.
    """
    huge = [name for name, kind in types.items() if kind == pl.Int128]
    if not huge:
        return types
    least = scan(bare(parts), huge, None).select(pl.col(huge).min()).collect(engine="streaming")
    return {**types, **{name: _TEXT if least[name][0] < 0 else pl.UInt64() for name in huge}}


def _packed_as(kinds: set[pl.DataType], *, wide: bool) -> pl.DataType:
    kind = widest(kinds, wide=wide)
    return _TEXT if kind == pl.Int128 else kind


def _cast(name: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    return as_text(name, found) if wanted == _TEXT else pl.col(name).cast(wanted)


def _surplus(parts: Sequence[Part], types: Mapping[str, pl.DataType]) -> list[str]:
    """The attributes past the bound, those in the parts with the fewest rows."""
    attributes = [name for name in types if name not in FIXED]
    if len(attributes) <= ATTRIBUTE_COLUMNS_MAX:
        return []
    rows: Counter[str] = Counter()
    for part in parts:
        rows.update(dict.fromkeys(part.columns, part.rows))
    fullest = sorted(attributes, key=lambda name: (-rows[name], name))
    return sorted(fullest[ATTRIBUTE_COLUMNS_MAX:])


def _inside(parts: Sequence[Part], surplus: Sequence[str]) -> dict[str, set[pl.DataType]]:
    """The types of what will be inside OVERFLOW."""
    found: dict[str, set[pl.DataType]] = defaultdict(set)
    for part in parts:
        for name, kind in part.overflow.items():
            found[name].add(kind)
        for name in surplus:
            if name in part.columns:
                found[name].add(part.columns[name])
    # What a footer had no room for may be inside all the same, and is read as text.
    for last in (max(p.overflow, default="") for p in parts if not p.overflow_complete):
        for name, kinds in found.items():
            if name > last:
                kinds.add(_TEXT)
    return found
