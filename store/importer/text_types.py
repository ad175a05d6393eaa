"""Text cells to typed columns, where every value of the column fits exactly."""

from typing import Final

import polars as pl

from store.schema import ATTRIBUTE_PREFIX, FIXED

_WHOLE: Final = r"^(?:0|-?[1-9][0-9]{0,19})$"
# A number as programs print it; an exponent needs its sign, as `12e4` may be an id.
_NUMBER: Final = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-][0-9]{1,3})?$"
_DECIMALS: Final = r"\.([0-9]+)"
_MANTISSA: Final = r"^-?([0-9.]+)"
# So many digits come back from a double as they were.
_DIGITS_SAFE: Final = 15
_BOOLEANS: Final = {"true": True, "True": True, "false": False, "False": False}


def typed_text(cells: pl.Series) -> list[pl.Series]:
    """The column or two that a column of texts becomes; empty cells are nulls, none makes none.

    Fixed text fields, times and severities stay text. A fixed number or boolean takes the cells
    that fit, `attr.NAME` the others. An attribute is of integers, floats or booleans when all of
    its cells can be printed back from them as they were (a fixed number of decimals included);
    so `007` and the versions `1.9`, `1.10` stay text.
    """
    cells = cells.set(cells == "", None)
    if cells.null_count() == len(cells):
        return []
    fixed = FIXED.get(cells.name)
    if fixed is None:
        # By another name: Polars takes one such as `^a.*$` for a pattern.
        return [_attribute(cells.alias("")).alias(cells.name)]
    if fixed == pl.Boolean:
        return _parted(cells, _booleans(cells))
    if fixed in {pl.Float64, pl.UInt16}:
        return _parted(cells, _numbers(cells))
    return [cells]


def _parted(cells: pl.Series, fitting: pl.Series) -> list[pl.Series]:
    if fitting.null_count() == cells.null_count():
        return [fitting]
    others = cells.set(fitting.is_not_null(), None).alias(ATTRIBUTE_PREFIX + cells.name)
    return [others] if fitting.null_count() == len(cells) else [fitting, others]


def _attribute(cells: pl.Series) -> pl.Series:
    # Looked at first: one cell that is no number spares the others the patterns.
    first = cells.drop_nulls()[0]
    if first in _BOOLEANS:
        found = _booleans(cells)
        return found if found.null_count() == cells.null_count() else cells
    if not (first[0].isdecimal() or first[0] == "-"):
        return cells
    if cells.str.contains(_WHOLE).all():
        for kind in (pl.Int64, pl.UInt64):
            found = cells.cast(kind, strict=False)
            if found.null_count() == cells.null_count():
                return found
        return cells
    if not cells.str.contains(_NUMBER).all():
        return cells
    numbers = cells.cast(pl.Float64, strict=False)
    return numbers if _all_exact(cells, numbers) else cells


def _all_exact(cells: pl.Series, numbers: pl.Series) -> bool:
    """Whether each cell could be printed back, given one format for all."""
    digits = cells.str.extract(_MANTISSA).str.replace(r"\.", "").str.strip_chars_start("0")
    is_safe = (digits.str.len_chars() <= _DIGITS_SAFE) & numbers.is_finite()
    decimals = cells.str.extract(_DECIMALS)
    lengths = decimals.str.len_chars().fill_null(0)
    one_format = lengths.n_unique() == 1
    shortest = ~(decimals.str.ends_with("0") & (decimals != "0")).fill_null(False)
    printed = numbers.cast(pl.String) == cells
    return bool((printed | (is_safe & (shortest | one_format))).all())


def _numbers(cells: pl.Series) -> pl.Series:
    return cells.set(~cells.str.contains(_NUMBER), None).cast(pl.Float64, strict=False)


def _booleans(cells: pl.Series) -> pl.Series:
    return cells.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)
