"""What the Overview asks the store. Imports the queries late: they bring Polars."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from store.analytics.query import Query

if TYPE_CHECKING:
    from tui.screens.deck_screen import Seen

TOTALS = ("count", "users", "sessions", "p50:duration_ms", "p95:duration_ms", "p99:duration_ms")


def overview_questions(seen: "Seen", interval: timedelta) -> Mapping[str, Query]:
    """The questions behind every panel of the Overview, by the names its panels know them by."""
    trends, names, releases, changes = (
        getattr(import_module(f"store.analytics.{name.lower()}"), name)
        for name in ("Trends", "Names", "Releases", "Changes")
    )
    view = seen.view
    common: dict[str, Any] = {
        "span": seen.span,
        "where": view.where or None,
        "tz": str(seen.zone),
        "compare": "previous" if view.compare else None,
    }
    by = (view.by,) if view.by else ()
    asked: dict[str, Query] = {
        "totals": trends(measures=TOTALS, interval=interval, **common),
        "severities": trends(by=("severity_class",), interval=interval, **common),
        "names": names(by=by or ("event_name",), limit=1000, **common),
        "releases": releases(**common),
    }
    if view.by:
        asked["breakdown"] = trends(by=by, interval=interval, limit=5, **common)
    if view.compare:
        asked["changes"] = changes(**common)
    return asked
