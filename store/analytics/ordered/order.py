"""The order of a subject's events: by time, and at one instant by what does not depend on when they
came in.
"""

from collections.abc import Sequence
from typing import Final

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
    same_time = pl.col(TIME) == pl.col(TIME).shift()
    follows = same_time & (pl.col(WHO) == pl.col(WHO).shift())
    is_next = rows.select(follows.fill_null(value=False)).to_series()
    if not is_next.any():
        return rows
    places = (is_next | is_next.shift(-1, fill_value=False)).arg_true()
    instant = (~is_next.gather(places)).cum_sum().alias(_INSTANT)
    tied = pl.concat(
        [pl.DataFrame([places.alias(_ROW), instant]), rows[places].select(ties)], how="horizontal"
    )
    names = [name for name in tied.columns if name not in (_ROW, _INSTANT)]
    order = tied.sort(_INSTANT, *names, maintain_order=True)[_ROW]
    everything = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    return rows[everything.scatter(places, order)]


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
