"""What sets two profiles apart: pure arithmetic over their counts.

Shares of values are compared by the test of two proportions (with the correction for continuity,
and for having looked at all values of the attribute), measures by the distance of Kolmogorov and
Smirnov between their distributions; what could be chance among so many tests is left out, by the
rule of Benjamini and Hochberg. https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Final

import polars as pl

ALPHA: Final = 0.05
LEAST: Final = 20
"""Fewer events in the selection say nothing."""
FEW_VALUES: Final = 20
"""A measure of no more values than these is compared value by value."""
ID_SHARE: Final = 0.5
"""An attribute with a value of its own for every second event is an identifier."""
SURE_ID_SHARE: Final = 0.9
"""Among few events, also what has thousands of values has one of its own for many."""
DIGITS: Final = 12
"""Shares that differ by less are equal: what is left is how the floats were rounded."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute, at the value where it differs most."""

    attribute: str
    value: str
    """Of a measure `> 12.5` or `<= 12.5`, or `*` for any number; "" is a missing value."""
    share: float
    share_against: float
    n: int
    """The events of the selection that the share is of; of a measure, those with a number."""
    n_against: int
    p: float
    median: float | None = None
    median_against: float | None = None

    @property
    def score(self) -> float:
        """The difference of the shares; of a measure, the distance of the distributions."""
        return abs(self.share - self.share_against)


Sides = tuple[pl.DataFrame, pl.DataFrame]
"""The selection and the baseline, as `profile` gives them."""


def differences(selection: pl.DataFrame, baseline: pl.DataFrame) -> tuple[list[Difference], int]:
    """Those that chance does not explain, the greatest first, one an attribute; and how many tests
    were made. Both frames are of `profile`.
    """
    (found,), tried = differences_of([(selection, baseline)])
    return found, tried


def differences_of(groups: Sequence[Sides]) -> tuple[list[list[Difference]], int]:
    """The same within each of several groups: what chance explains is judged over all of them."""
    tested = [[*_of_values(both), *_of_measures(both)] for both in starmap(_joined, groups)]
    every = [each for group in tested for each in group]
    passed = set(map(id, _beyond_chance(every)))
    found = [_told_of([each for each in group if id(each) in passed]) for group in tested]
    return found, len(every)


def _told_of(found: Sequence[Difference]) -> list[Difference]:
    """The greatest of each attribute."""
    best: dict[str, Difference] = {}
    for each in sorted(found, key=_order):
        best.setdefault(each.attribute, each)
    return list(best.values())


def _order(each: Difference) -> tuple[float, str, float, str]:
    return -_told(each.score), each.attribute, each.p, each.value


def identifiers(
    distinct: Mapping[str, int], frame: pl.DataFrame, share: float = ID_SHARE
) -> set[str]:
    """The attributes with nearly a value of its own for each event."""
    given = frame.filter(pl.col("value") != "").group_by("attribute").agg(pl.col("n").sum())
    return {
        name
        for name, events in given.rows()
        if events >= LEAST and distinct.get(name, 0) >= share * events
    }


def _joined(selection: pl.DataFrame, baseline: pl.DataFrame) -> pl.DataFrame:
    """A row for each attribute and value of either; `value` is given where there are few."""
    keys = ["attribute", "value", "code"]
    both = selection.join(
        baseline, on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_b"
    )
    both = both.with_columns(
        pl.col("n", "n_b").fill_null(0),
        pl.col("weight", "weight_b").fill_null(0.0),
        pl.min_horizontal("low", "low_b").alias("low"),
        pl.max_horizontal("high", "high_b").alias("high"),
    )
    is_few = (pl.len() <= FEW_VALUES) & (pl.col("low") == pl.col("high")).all()
    text = pl.when(pl.col("code").is_null()).then(pl.lit("")).otherwise(_number_text("low"))
    is_few_numbers = pl.col("value").is_null().all() & is_few
    return both.with_columns(
        pl.when(is_few_numbers.over("attribute")).then(text).otherwise("value").alias("value")
    )


def _number_text(name: str) -> pl.Expr:
    whole = pl.col(name).cast(pl.Int64, strict=False)
    is_whole = whole.cast(pl.Float64) == pl.col(name)
    return pl.when(is_whole).then(whole.cast(pl.String)).otherwise(pl.col(name).cast(pl.String))


def _of_values(both: pl.DataFrame) -> list[Difference]:
    """The value of each attribute whose share differs most, and of measures whether one is there."""
    missing = both.filter(pl.col("value").is_null()).with_columns(
        value=pl.when(pl.col("code").is_null()).then(pl.lit("")).otherwise(pl.lit("*"))
    )
    sums = pl.col("n", "n_b", "weight", "weight_b").sum()
    known = both.filter(pl.col("value").is_not_null()).select(missing.columns)
    values = pl.concat([known, missing]).group_by("attribute", "value").agg(sums)
    whole = values.with_columns(
        (pl.col("weight") / pl.col("weight").sum().over("attribute")).alias("share"),
        (pl.col("weight_b") / pl.col("weight_b").sum().over("attribute")).alias("share_b"),
        pl.col("n").sum().over("attribute").alias("of"),
        pl.col("n_b").sum().over("attribute").alias("of_b"),
        pl.len().over("attribute").alias("values"),
    ).filter((pl.col("of") >= LEAST) & (pl.col("of_b") > 0) & (pl.col("values") > 1))
    apart = (pl.col("share") - pl.col("share_b")).abs()
    # Of two values that mirror each other, the one that is more frequent in the selection.
    order = [apart.round(DIGITS), pl.col("share") - pl.col("share_b"), pl.col("value")]
    best = whole.sort("attribute", *order, descending=[False, True, True, False])
    best = best.unique("attribute", keep="first", maintain_order=True)
    names = ("attribute", "value", "share", "share_b", "of", "of_b", "values")
    return [
        Difference(
            *(attribute, value, share, against, of, of_b),
            # Two values are one test: what one has more, the other has less.
            p=min(1.0, _p_of_shares(share, against, of, of_b) * max(1, values - 1)),
        )
        for attribute, value, share, against, of, of_b, values in best.select(names).rows()
    ]


def _of_measures(both: pl.DataFrame) -> list[Difference]:
    """Where the distributions of each measure are furthest apart."""
    given = both.filter(pl.col("value").is_null() & pl.col("code").is_not_null())
    ordered = given.sort("attribute", "code").with_columns(
        *(
            (pl.col(name).cum_sum() / pl.col(name).sum()).over("attribute").alias(share)
            for name, share in (("weight", "upto"), ("weight_b", "upto_b"))
        ),
        pl.col("n").sum().over("attribute").alias("of"),
        pl.col("n_b").sum().over("attribute").alias("of_b"),
    )
    enough = ordered.filter((pl.col("of") >= LEAST) & (pl.col("of_b") > 0))
    apart = (pl.col("upto") - pl.col("upto_b")).abs()
    middle = (pl.col("low") + pl.col("high")) / 2
    best = enough.group_by("attribute", maintain_order=True).agg(
        pl.col("upto", "upto_b", "high").gather(apart.round(DIGITS).arg_max()).first(),
        pl.col("of", "of_b").first(),
        middle.filter(pl.col("upto") >= 0.5).first().alias("median"),
        middle.filter(pl.col("upto_b") >= 0.5).first().alias("median_b"),
    )
    return [_distance(*row) for row in best.rows()]


def _distance(
    attribute: str,
    upto: float,
    upto_b: float,
    high: float,
    of: int,
    of_b: int,
    median: float | None,
    median_b: float | None,
) -> Difference:
    is_less = upto >= upto_b
    shares = (upto, upto_b) if is_less else (1 - upto, 1 - upto_b)
    value = f"{'<=' if is_less else '>'} {high:.6g}"
    chance = _p_of_distance(abs(upto - upto_b), of, of_b)
    return Difference(attribute, value, *shares, of, of_b, chance, median, median_b)


def _p_of_shares(share: float, against: float, of: int, of_b: int) -> float:
    pooled = (share * of + against * of_b) / (of + of_b)
    deviation = math.sqrt(max(0.0, pooled * (1 - pooled)) * (1 / of + 1 / of_b))
    apart = abs(share - against) - (1 / of + 1 / of_b) / 2
    return math.erfc(apart / deviation / math.sqrt(2)) if deviation and apart > 0 else 1.0


def _p_of_distance(distance: float, of: int, of_b: int) -> float:
    """Kolmogorov's distribution, with the correction of Stephens for small sets."""
    root = math.sqrt(of * of_b / (of + of_b))
    size = (root + 0.12 + 0.11 / root) * distance
    if size < 0.3:
        return 1.0
    terms = ((-1.0) ** (at - 1) * math.exp(-2 * (at * size) ** 2) for at in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))


def _told(share: float) -> float:
    return round(share, DIGITS)


def _beyond_chance(tested: Sequence[Difference]) -> list[Difference]:
    ordered = sorted(tested, key=lambda each: (each.p, each.attribute, each.value))
    limits = (ALPHA * (at + 1) / len(ordered) for at in range(len(ordered)))
    passed = [
        at for at, (each, limit) in enumerate(zip(ordered, limits, strict=True)) if each.p <= limit
    ]
    return [each for each in ordered[: max(passed, default=-1) + 1] if each.score > 0]
