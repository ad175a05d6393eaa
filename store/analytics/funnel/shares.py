"""Chosen attempts to numbers: how many came to each step, what share that is, how long it took."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from store.analytics.funnel.attempts import OPEN
from store.analytics.funnel.definition import Definition
from store.analytics.funnel.journeys import Journeys
from store.analytics.ordered.rows import TIME
from store.analytics.shapes import StepShare
from store.analytics.shares import wilson as interval
from store.analytics.sums import mean_seconds


def timed(chosen: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """With `time.STEP` in microseconds, and `seconds.STEP` since the step before that was done."""
    count = len(journeys.made.steps)
    found = chosen.with_columns(
        journeys.at(TIME, chosen[f"row.{at}"]).alias(f"time.{at}") for at in range(count)
    )
    times = [pl.col(f"time.{at}") for at in range(count)]
    before = [pl.coalesce(*reversed(times[:at])) for at in range(1, count)]
    return found.with_columns(
        ((time - earlier) / 1e6).alias(f"seconds.{at}")
        for at, (time, earlier) in enumerate(zip(times[1:], before, strict=True), 1)
    )


def counts(made: Definition) -> Iterator[pl.Expr]:
    """In a group of timed attempts: the numbers of every step."""
    for at, step in enumerate(made.steps):
        reached = pl.col(f"row.{at}").is_not_null()
        yield reached.sum().cast(pl.Int64).alias(f"count.{at}")
        if at == 0:
            continue
        yield pl.col(f"seconds.{at}").median().alias(f"median.{at}")
        yield mean_seconds(pl.col(f"seconds.{at}")).alias(f"mean.{at}")
        if not step.optional:
            came = pl.col(f"row.{made.before(at)}").is_not_null()
            waiting = pl.col(OPEN) & came & ~reached
            yield waiting.sum().cast(pl.Int64).alias(f"open.{at}")


def shares(numbers: Mapping[str, Any], made: Definition) -> Sequence[StepShare]:
    """A step's share for each, out of the numbers of a group."""
    return [_share(numbers, made, at) for at in range(len(made.steps))]


def share(part: int, whole: int) -> float:
    """0 of nothing."""
    return part / whole if whole else 0.0


def _share(numbers: Mapping[str, Any], made: Definition, at: int) -> StepShare:
    count, first = numbers[f"count.{at}"], numbers["count.0"]
    base = numbers[f"count.{made.before(at)}"] if at else count
    waiting = numbers.get(f"open.{at}", 0)
    # Who leaves an optional step out may still go on.
    lost = 0 if made.steps[at].optional else base - count - waiting
    return StepShare(
        name=made.names[at],
        count=count,
        conversion=share(count, first),
        conversion_from_previous=share(count, base),
        drop_off=lost,
        still_possible=waiting,
        median_seconds=numbers.get(f"median.{at}"),
        mean_seconds=numbers.get(f"mean.{at}"),
        of=base,
        likely=wilson(count, first),
    )


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Wilson's interval of a share at 95 %; of nothing, anything."""
    _, low, high = interval(part, whole)
    return (0.0, 1.0) if low is None or high is None else (low, high)


def step_json(step: StepShare) -> dict[str, Any]:
    """With `of`, and `conversion_interval`: where the true share lies at 95 %."""
    names = ("count", "conversion", "conversion_from_previous", "drop_off", "still_possible")
    return {
        "step": step.name,
        **{name: getattr(step, name) for name in names},
        "median_seconds": step.median_seconds,
        "mean_seconds": step.mean_seconds,
        "of": step.of,
        "conversion_interval": list(step.likely),
    }
