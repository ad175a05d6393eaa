"""The rows of all subjects in order, with where each goes next: what attempts are made out of.

Everything is an index into one table: a subject's rows stand together, so "the next B after this
A" is a column of row numbers, carried backward once for each step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from store.analytics.funnel.definition import Definition
from store.analytics.funnel.instants import arranged
from store.analytics.funnel.matching import BREAKS, EXCLUDES, ID, STEPS
from store.analytics.ordered.order import in_order
from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO

UID: Final = "uid"
"""The number of the subject: 0 for the first rows."""
ROW: Final = "row"
FIRST: Final = "first"
"""The first row of the subject."""
END: Final = "end"
"""The row after his last."""
NEXT_INSTANT: Final = "next_instant"
LIMIT: Final = "limit"
"""In a strict run: the row that breaks it where it stands."""


@dataclass(frozen=True, slots=True)
class Journeys:
    """Rows with `TIME` in microseconds, UID, ROW and END, and for each step: `next.STEP`, the next
    row that is that step (perhaps another subject's: END tells).
    """

    rows: pl.DataFrame
    made: Definition

    def at(self, column: str, rows: pl.Series) -> pl.Series:
        """The values of a column in these rows; null of null."""
        return self.rows[column].gather(rows)


def journeys_of(rows: pl.DataFrame, made: Definition, start: int | None) -> Journeys:
    """Out of settled rows; those before `start` (microseconds) only tell what was the first time."""
    ordered = in_order(rows, _ties(rows)).with_columns(pl.col(TIME).to_physical())
    ordered = arranged(_first_times(ordered, made), made)
    keep = (pl.col(STEPS) != 0) | pl.any_horizontal(
        *([pl.col(EXCLUDES) != 0] if made.exclusions else []),
        *([breaks(made)] if made.is_strict else []),
        pl.lit(value=False),
    )
    if start is not None:
        keep &= pl.col(TIME) >= start
    telling = ordered.lazy().filter(keep)
    if made.is_strict:
        # Of those that only break, the first after each other one breaks whatever can be broken.
        only = (pl.col(STEPS) == 0) & (pl.col(EXCLUDES) == 0 if made.exclusions else True)
        again = only & only.shift() & (pl.col(WHO) == pl.col(WHO).shift())
        telling = telling.filter(~again.fill_null(value=False))
    kept = telling.with_row_index(ROW)
    kept = kept.with_columns(pl.col(WHO).rle_id().alias(UID))
    return Journeys(_pointing(kept, made).collect(), made)


def is_settled(journeys: Journeys, keys: Sequence[str]) -> bool:
    """Whether no two events of an instant that are the same steps differ in these values, so that
    it does not matter which of them comes first.
    """
    instant = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in (WHO, TIME))
    is_tied = instant | instant.shift(-1, fill_value=False)
    several = pl.any_horizontal(pl.col(key).n_unique() > 1 for key in keys)
    tied = journeys.rows.lazy().filter(is_tied).group_by(WHO, TIME, STEPS).agg(several.alias("x"))
    return not tied.select(pl.col("x").any()).collect().item()


def is_step(at: int) -> pl.Expr:
    return pl.col(STEPS) & (1 << at) != 0


def breaks(made: Definition) -> pl.Expr:
    return pl.col(BREAKS).fill_null(value=False) if made.breakers else pl.lit(value=True)


def step_order() -> list[str | pl.Expr]:
    """At one instant: steps in their order, an event that is several by the first of them, then by
    the last (until they are `arranged`); what is no step comes last of all.
    """
    steps = pl.col(STEPS).cast(pl.UInt64)
    lowest = pl.when(steps == 0).then(64).otherwise(steps.bitwise_trailing_zeros())
    highest = 64 - steps.bitwise_leading_zeros().cast(pl.Int32)
    return [lowest.alias("\0lowest"), highest.alias("\0highest"), STEPS]


def _ties(rows: pl.DataFrame) -> list[str | pl.Expr]:
    others = [name for name in (EXCLUDES, BREAKS) if name in rows.columns]
    keys = [name for name in rows.columns if name.startswith("key.")]
    return [*step_order(), *([ID] if ID in rows.columns else []), *others, *keys]


def _first_times(rows: pl.DataFrame, made: Definition) -> pl.DataFrame:
    """Without the steps that must be a subject's first such event, and are not."""
    for at, step in enumerate(made.steps):
        if step.first_time:
            found = rows.select(WHO, is_step(at).alias("is")).with_row_index(ROW).filter("is")
            later = found.filter(~pl.col(WHO).is_first_distinct())[ROW]
            cleared = pl.repeat(0, rows.height, dtype=rows.schema[STEPS], eager=True)
            rows = rows.with_columns(rows[STEPS] ^ cleared.scatter(later, 1 << at))
    return rows


def _pointing(rows: pl.LazyFrame, made: Definition) -> pl.LazyFrame:
    row, uid = pl.col(ROW), pl.col(UID)
    first = 0 if made.is_unordered else 1
    starts = (uid != uid.shift()).fill_null(value=True)
    ends = (uid != uid.shift(-1)).fill_null(value=True)
    found = rows.with_columns(
        pl.when(ends).then(row + 1).backward_fill().alias(END),
        *(next_row(is_step(at)).alias(f"next.{at}") for at in range(first, len(made.steps))),
    )
    if made.at_step > 0:
        found = found.with_columns(pl.when(starts).then(row).forward_fill().alias(FIRST))
    if made.is_strict:
        found = found.with_columns(_breaking(made, at) for at in range(len(made.steps)))
    if made.exclusions:
        time = pl.col(TIME)
        begins = starts | (time != time.shift())
        found = found.with_columns(next_row(begins).alias(NEXT_INSTANT)).with_columns(
            pl.when(pl.col(EXCLUDES) & (1 << at) != 0)
            .then(row)
            .backward_fill()
            .alias(f"excluded.{at}")
            for at in range(len(made.exclusions))
        )
    return found


def next_row(wanted: pl.Expr) -> pl.Expr:
    """The number of the next row after each that is wanted."""
    return pl.when(wanted).then(pl.col(ROW)).backward_fill().shift(-1)


def _breaking(made: Definition, at: int) -> pl.Expr:
    """The next row that breaks a run which has reached a step."""
    fine = sum(1 << step for step in (at, *made.follows(at)))
    return next_row(breaks(made) & (pl.col(STEPS) & fine == 0)).alias(f"break.{at}")
