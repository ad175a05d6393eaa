"""The funnel: who goes from step to step, and how fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, cast

import polars as pl

from store.analytics.analysis import AskAgainError
from store.analytics.cut import Cut
from store.analytics.funnel.asking import Asked, asked_of
from store.analytics.funnel.attempts import DEPTH, OPEN, attempts
from store.analytics.funnel.attribution import groups, touched
from store.analytics.funnel.choosing import apart, best
from store.analytics.funnel.definition import Definition, Stepped, horizon
from store.analytics.funnel.gaps import compared
from store.analytics.funnel.journeys import Journeys, is_settled
from store.analytics.funnel.matching import columns, has_ids, key_columns, matched
from store.analytics.funnel.shares import counts, shares, step_json, timed
from store.analytics.links import Links
from store.analytics.ordered import rows as kept
from store.analytics.ordered.subjects import NAME, WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Steps, StepUser
from store.errors import UsageError
from store.timespan import EPOCH, UNITS, TimeSpan, iso

WINDOWS = (0.5, 1.0, 2.0, 4.0)
"""What the window is multiplied by to see whether the numbers hang on it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Funnel(Stepped):
    """How many go from step to step."""

    analysis: ClassVar[str] = "funnel"

    users: bool = option(default=False, help_text="also who they are, how far and when")
    slower_than: timedelta | None = option(
        None, "of the users only those who took longer, from their first step to their last"
    )
    sensitivity: bool = option(
        default=False, help_text="also what half, twice and four times the window would give"
    )

    def key(self) -> tuple[Any, ...]:
        return (*super(Funnel, self).key(), self.users)

    def check(self) -> None:
        """A UsageError where what is asked of users makes no sense."""
        if self.slower_than is None:
            return
        if self.slower_than < timedelta():
            raise UsageError(
                "slower-than", "nothing takes less than no time", next_step="write 10m"
            )
        if not self.users:
            raise UsageError("slower-than", "it is about users", next_step="add --users")


class FunnelAnalysis:
    """A subject counts once, with the first attempt that got furthest; see
    `store.analytics.funnel.attempts` for the rule.
    """

    name = "funnel"
    version = 1
    query_type = Funnel
    rows_max = kept.ROWS_MAX

    def horizon(self, query: Query) -> TimeSpan | None:
        asked = cast(Funnel, query)
        asked.check()
        if asked.sensitivity and asked.window:
            asked = replace(asked, window=asked.window * WINDOWS[-1])
        return horizon(asked)

    def columns(self, query: Query) -> Sequence[str]:
        asked = cast(Funnel, query)
        return columns(asked, named=asked.users)

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked = cast(Funnel, query)
        return matched(events, asked, named=asked.users)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return partials

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        funnel = cast(Funnel, query)
        by_user = not query.by or funnel.attribution in ("first", "last")
        best_only = by_user and not funnel.sensitivity
        asked = asked_of(combined, funnel, links, best_only=best_only)
        made, bounds = asked.journeys.made, asked.bounds
        by_touch = query.by and made.attribution != "all" and not has_ids(funnel)
        if by_touch and not is_settled(asked.journeys, key_columns(query.by)):
            raise AskAgainError(replace(funnel, with_ids=True))
        chosen = chosen_of(asked)
        numbers = chosen.select(list(counts(made))).row(0, named=True)
        listed = _slower(chosen, made, funnel.slower_than)
        broken_down = query.by and groups(
            asked.rows, asked.journeys, chosen, query.by, query.limit, bounds
        )
        return Finished(
            Steps(
                shares(numbers, made),
                broken_down or (),
                _users(listed, asked.journeys, query.by) if funnel.users else None,
                _windows(asked) if funnel.sensitivity else (),
            ),
            events=combined.height - combined[WHO].null_count(),
            sampled=kept.is_sampled(combined),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        found = cast(Steps, result)
        told: dict[str, Any] = {"steps": [step_json(step) for step in found.steps]}
        if found.groups:
            told["breakdown"] = [
                {
                    "key": dict(group.key),
                    **({"folded": True} if group.folded else {}),
                    "steps": [step_json(step) for step in group.steps],
                }
                for group in found.groups
            ]
        if found.users is not None:
            told["users"] = {name: _user_json(user) for name, user in found.users.items()}
        if found.windows:
            told["sensitivity"] = [
                {"window_seconds": seconds, "conversion": share} for seconds, share in found.windows
            ]
        return told

    def compared(self, result: Result, previous: Result) -> Mapping[str, Any]:
        """How the conversions of the steps differ from those of the span before."""
        return compared(cast(Steps, result), cast(Steps, previous))


def chosen_of(asked: Asked) -> pl.DataFrame:
    """The timed attempts that count."""
    journeys = asked.journeys
    once = not journeys.made.by_attempt
    found = attempts(journeys, **asked.bounds, newest=once)
    return timed(best(found) if once else apart(found, journeys), journeys)


def _slower(chosen: pl.DataFrame, made: Definition, than: timedelta | None) -> pl.DataFrame:
    """Those who took longer than that to come from the first step to the last that they reached."""
    if than is None:
        return chosen
    last = pl.max_horizontal(f"time.{at}" for at in range(len(made.steps)))
    return chosen.filter(last - pl.col("time.0") > than / UNITS["us"])


def _users(chosen: pl.DataFrame, journeys: Journeys, by: Sequence[str]) -> Mapping[str, StepUser]:
    """Everybody by name; who has none is a device that was linked to somebody unseen here. With the
    values that they began or ended with, where a breakdown is by those.
    """
    count = len(journeys.made.steps)
    keys = key_columns(by) if journeys.made.attribution in ("first", "last") else []
    chosen = touched(journeys, chosen, keys) if keys else chosen
    named = chosen.with_columns(journeys.at(NAME, chosen["row.0"]).alias("name")).sort("name")
    times = [f"time.{at}" for at in range(count)]
    found = {}
    told = named.select("name", DEPTH, OPEN, *times, *keys)
    for name, level, is_open, *rest in told.iter_rows():
        reached = [None if us is None else EPOCH + us * UNITS["us"] for us in rest[:level]]
        key = dict(zip(by, rest[count:], strict=False))
        found[name or ""] = StepUser(level, reached, is_open, key)
    return found


def _user_json(user: StepUser) -> dict[str, Any]:
    return {
        "level": user.level,
        "step_times": [None if time is None else iso(time) for time in user.step_times],
        **({"key": dict(user.key)} if user.key else {}),
    }


def _windows(asked: Asked) -> Sequence[tuple[float, float]]:
    made = asked.journeys.made
    if made.window is None:
        return ()
    found = []
    for times in WINDOWS:
        window = int(made.window * times)
        other = replace(asked.journeys, made=replace(made, window=window))
        chosen = chosen_of(replace(asked, journeys=other))
        numbers = chosen.select(list(counts(made))).row(0, named=True)
        found.append((window / 1e6, shares(numbers, made)[-1].conversion))
    return found
