"""Events that programs report about themselves: which they are, and where their numbers stand.

The types are those of store.schema.TYPE_SEVERITIES (`component_load`, `animation_play`, `error`,
`performance`, …); a sender may write them as the event's type or as its name. The numbers are those
that tools for animated components report: `loadTime`, `fps` and `frameTime` of a component, as
attributes of these or the snake-case names, with or without `_ms`, or as metrics of such a name.
"""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from store.schema import SEVERITIES

LOAD_TIME: Final = "load_time"
DURATION: Final = "duration_ms"
SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    LOAD_TIME: ("load_time", "load_time_ms", "loadTime", "load_ms"),
    "fps": ("fps", "frame_rate", "frameRate"),
    "frame_time": ("frame_time", "frame_time_ms", "frameTime"),
    "render_time": ("render_time", "render_time_ms", "renderTime"),
}
"""By the metric: the attributes that hold it, times in ms."""
ATTRIBUTES: Final = tuple(name for names in SPELLINGS.values() for name in names)
LOADS: Final = ("component_load", "resource_load")
"""Their duration is a load time."""
COLUMNS: Final = ("event_type", "event_name", "severity", "value", DURATION, *ATTRIBUTES)
"""What the expressions here read."""


def is_kind(*kinds: str) -> pl.Expr:
    """Whether the event is of one of these known types."""
    found = [pl.col(name).is_in(kinds) for name in ("event_type", "event_name")]
    return reduce(or_, found).fill_null(value=False)


def is_error() -> pl.Expr:
    """Of the type error, or of severity error and above."""
    severe = (pl.col("severity") >= SEVERITIES["error"]).fill_null(value=False)
    return severe | is_kind("error")


def is_metric() -> pl.Expr:
    """Whether the event is a metric with a value."""
    return (pl.col("event_type") == "metric").fill_null(value=False) & pl.col("value").is_not_null()


def is_metric_of(*metrics: str) -> pl.Expr:
    """Whether the event is a metric that is called one of these, in any spelling."""
    names = [name for metric in metrics for name in SPELLINGS[metric]]
    return is_metric() & pl.col("event_name").is_in(names).fill_null(value=False)


def reported(metric: str) -> pl.Expr:
    """The event's number for a metric of SPELLINGS; null without one."""
    own = [_number(name) for name in SPELLINGS[metric]]
    own.append(pl.when(is_metric_of(metric)).then(_number("value")))
    if metric == LOAD_TIME:
        own.append(pl.when(is_kind(*LOADS)).then(_number(DURATION)))
    return pl.coalesce(own)


def _number(name: str) -> pl.Expr:
    value = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)
