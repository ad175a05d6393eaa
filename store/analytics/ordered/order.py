"""The order of a subject's events: by time, and at one instant by what does not depend on when they
came in.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO

_ROW = "\0row"
_INSTANT = "\0instant"
_BITS: Final = 64
_WHO_BITS_MIN: Final = 24
"""Fewer bits of a subject, and too many others would have the same."""


def in_order(rows: pl.DataFrame, ties: Sequence[str | pl.Expr] = ()) -> pl.DataFrame:
    """The rows of each WHO together, by TIME; those of one instant by `ties`, nulls first. The
    order of the subjects means nothing.

    Only rows that share an instant are compared by `ties`, so texts such as event ids cost next to
    nothing there; where rows of one instant stand for the same, leave the ids out altogether.
    """
    # Parts are in the order of time, so this sort is nearly done before it starts; grouping then
    # takes a quarter of sorting by two keys.
    by_time = rows.sort(TIME)
    others = [name for name in rows.columns if name != WHO]
    grouped = by_time.lazy().group_by(WHO).agg(others).explode(others).collect()
    return _untied(grouped, ties) if ties else grouped


def _untied(rows: pl.DataFrame, ties: Sequence[str | pl.Expr]) -> pl.DataFrame:
    tied = _tied(rows[WHO], rows[TIME])
    if not tied.at.len():
        return rows
    everything = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    return rows[everything.scatter(tied.at, tied.by(rows[tied.at].select(ties)))]


class Tied(NamedTuple):
    """Rows in order of which a neighbour of the same subject has the same time."""

    at: pl.Series
    """Where they are."""
    instant: pl.Series
    """A number that those of one instant share; the numbers rise."""

    def by(self, ties: pl.DataFrame) -> pl.Series:
        """`at` in the order of `ties` within each instant, nulls first; else as it is."""
        names = ties.columns
        told = ties.with_columns(self.at.alias(_ROW), self.instant.alias(_INSTANT))
        return told.sort(_INSTANT, *names, maintain_order=True)[_ROW]


def _tied(who: pl.Series, at: pl.Series) -> Tied:
    is_next = ((at == at.shift()) & (who == who.shift())).fill_null(value=False)
    places = (is_next | is_next.shift(-1, fill_value=False)).arg_true()
    return Tied(places, (~is_next.gather(places)).cum_sum())


class Ordered(NamedTuple):
    """Rows as `in_order` has them, by their places: for who needs few of the other columns, or
    needs them of few of the rows.
    """

    row: pl.Series
    who: pl.Series
    at: pl.Series
    tied: Tied


def ordered(who: pl.Series, at: pl.Series, ties: pl.Series) -> Ordered:
    """The order of rows of these subjects and times; of one instant by `ties`, nulls first."""
    places = pl.int_range(who.len(), dtype=pl.UInt32, eager=True)
    rows = in_order(pl.DataFrame([who.alias(WHO), at.alias(TIME), places.alias(_ROW)]))
    row, tied = rows[_ROW], _tied(rows[WHO], rows[TIME])
    if tied.at.len():
        sources = tied.by(ties.gather(row.gather(tied.at)).to_frame())
        row = row.scatter(tied.at, row.gather(sources))
    return Ordered(row, rows[WHO], rows[TIME], tied)


def together(who: pl.Series, at: pl.Series) -> pl.Series:
    """The places of the rows of each `who` (hashes of 64 bits) one after the other, by `at`: whole
    numbers that are not far from each other. The order of the subjects means nothing.

    What is sorted is one number a row: the first bits of the hash, `at`, the row's place. That takes
    a third of grouping up to a million rows (of ten million, more); the few subjects whose first
    bits are alike are sorted by two keys.
    """
    if not who.len():
        return pl.Series([], dtype=pl.UInt32)
    low, high = int(at.min()), int(at.max())  # type: ignore[arg-type]
    place_bits = max(who.len() - 1, 1).bit_length()
    own_bits = place_bits + (high - low).bit_length()
    place = pl.int_range(who.len(), dtype=pl.UInt64, eager=True)
    if _BITS - own_bits < _WHO_BITS_MIN:
        keys = pl.DataFrame({"who": who, "at": at})
        return keys.select(pl.arg_sort_by("who", "at")).to_series()
    first_bits = (1 << _BITS) - (1 << own_bits)
    packed = (who & first_bits) | ((at - low).cast(pl.UInt64) * (1 << place_bits) + place)
    packed = packed.sort()
    places = (packed & ((1 << place_bits) - 1)).cast(pl.UInt32)
    return _parted(places, packed & first_bits, who, at)


def _parted(places: pl.Series, first_bits: pl.Series, who: pl.Series, at: pl.Series) -> pl.Series:
    """The same, where subjects of the same first bits are among each other."""
    whose = who.gather(places)
    differ = (whose != whose.shift()) & (first_bits == first_bits.shift())
    if not differ.any():
        return places
    shared = first_bits.filter(differ.fill_null(value=False)).unique()
    mixed = first_bits.is_in(shared.implode()).arg_true()
    here = places.gather(mixed)
    keys = pl.DataFrame({"who": who.gather(here), "at": at.gather(here), "place": here})
    return places.scatter(mixed, keys.sort("who", "at")["place"])
