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
    row = together(who, at.to_physical())
    whose, times = who.gather(row), at.gather(row)
    tied = _tied(whose, times)
    if tied.at.len():
        sources = tied.by(ties.gather(row.gather(tied.at)).to_frame())
        row = row.scatter(tied.at, row.gather(sources))
    return Ordered(row, whose, times, tied)


def together(who: pl.Series, at: pl.Series) -> pl.Series:
    """The places of the rows of each `who` (hashes of 64 bits) one after the other, by `at`: whole
    numbers. The order of the subjects means nothing.

    What is sorted is one number a row: the first bits of the hash, `at`, the row's place. That takes
    a third of grouping up to a million rows (of ten million, more); the few subjects whose first
    bits are alike are sorted by two keys. Where the numbers are far from each other, as times are,
    rows are put in their order first: parts are nearly in the order of time.
    """
    if not who.len():
        return pl.Series([], dtype=pl.UInt32)
    low, high = int(at.min()), int(at.max())  # type: ignore[arg-type]
    place_bits = max(who.len() - 1, 1).bit_length()
    bits = place_bits + (high - low).bit_length()
    place = pl.int_range(who.len(), dtype=pl.UInt64, eager=True)
    if _BITS - bits < _WHO_BITS_MIN:
        by_time = at.arg_sort()
        return by_time.gather(_packed(who.gather(by_time), place, place_bits, place_bits))
    return _packed(who, (at - low).cast(pl.UInt64) * (1 << place_bits) + place, bits, place_bits)


def _packed(who: pl.Series, numbers: pl.Series, bits: int, place_bits: int) -> pl.Series:
    """The places of each `who` together, by `numbers` of so many `bits`; the last are the place."""
    first_bits = (1 << _BITS) - (1 << bits)
    packed = ((who & first_bits) | numbers).sort()
    places = (packed & ((1 << place_bits) - 1)).cast(pl.UInt32)
    return _parted(places, packed, first_bits, who)


def _parted(places: pl.Series, packed: pl.Series, first_bits: int, who: pl.Series) -> pl.Series:
    """The same, where subjects of the same first bits are among each other."""
    whose = who.gather(places)
    new = (whose != whose.shift()).arg_true()
    alike = (packed.gather(new) ^ packed.gather(new - 1)) & first_bits == 0
    if not alike.any():
        return places
    shared = (packed.gather(new.filter(alike)) & first_bits).unique()
    mixed = (packed & first_bits).is_in(shared.implode()).arg_true()
    keys = pl.DataFrame({"who": whose.gather(mixed), "place": places.gather(mixed)})
    return places.scatter(mixed, keys.sort("who", maintain_order=True)["place"])
