"""What the Overview asks the store. Imports the queries late: they bring Polars."""

from collections.abc import Mapping
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from store.analytics.query import Query

if TYPE_CHECKING:
    from tui.view_state import Seen

TOTALS: Final = (
    "count",
    "users",
    "sessions",
    "p50:duration_ms",
    "p95:duration_ms",
    "p99:duration_ms",
)


# The table shows as many, the rest in one row; the chart as many colours as can be told apart.
NAMES_MAX: Final = 1_000
BREAKDOWN_MAX: Final = 5


def severity_questions(seen: "Seen", interval: timedelta) -> Mapping[str, Query]:
    """The events of the view over time, by severity or by what it breaks down by, and deploys."""
    from store.analytics.releases import Releases
    from store.analytics.trends import Trends

    common = _common(seen)
    timed = {**common, "interval": interval}
    deploys = {"releases": Releases(**common)}
    if seen.view.by:
        by = Trends(by=(seen.view.by,), limit=BREAKDOWN_MAX, **timed)
        return {**deploys, "breakdown": by}
    return {**deploys, "severities": Trends(by=("severity_class",), **timed)}


def overview_questions(
    seen: "Seen", interval: timedelta, *, trend_points: int = 8
) -> Mapping[str, Query]:
    """The questions behind every panel of the Overview, by the names its panels know them by."""
    from store.analytics.changes import Changes
    from store.analytics.names import Names
    from store.analytics.releases import Releases
    from store.analytics.trends import Trends

    view, common = seen.view, _common(seen)
    timed = {**common, "interval": interval, "compare": "previous" if view.compare else None}
    asked: dict[str, Query] = {
        "totals": Trends(measures=TOTALS, **timed),
        "severities": Trends(by=("severity_class",), **timed),
        "names": Names(
            by=(view.by or "event_name",), limit=NAMES_MAX, points=trend_points, **common
        ),
        "releases": Releases(**common),
    }
    if view.by:
        asked["breakdown"] = Trends(by=(view.by,), limit=BREAKDOWN_MAX, **timed)
    if view.compare:
        asked["changes"] = Changes(**common)
    return asked


def _common(seen: "Seen") -> dict[str, Any]:
    return {"span": seen.span, "where": seen.view.where or None, "tz": zone_name(seen.zone)}


def zone_name(zone: tzinfo) -> str:
    """The name by which the store knows the zone; UTC for one without a name of its own."""
    return zone.key if isinstance(zone, ZoneInfo) else "UTC"
