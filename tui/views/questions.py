"""What the Overview asks the store. Imports the queries late: they bring Polars."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from store.analytics.query import Query

if TYPE_CHECKING:
    from tui.screens.deck_screen import Seen

TOTALS = ("count", "users", "sessions", "p50:duration_ms", "p95:duration_ms", "p99:duration_ms")


def severity_questions(seen: "Seen", interval: timedelta) -> Mapping[str, Query]:
    """The events of the view over time: by severity, and by what it breaks down by."""
    trends = import_module("store.analytics.trends").Trends
    view = seen.view
    common: dict[str, Any] = {
        "span": seen.span,
        "where": view.where or None,
        "tz": str(seen.zone),
        "interval": interval,
    }
    if view.by:
        return {"breakdown": trends(by=(view.by,), limit=5, **common)}
    return {"severities": trends(by=("severity_class",), **common)}


def overview_questions(seen: "Seen", interval: timedelta) -> Mapping[str, Query]:
    """The questions behind every panel of the Overview, by the names its panels know them by."""
    from store.analytics.names import Names
    from store.analytics.releases import Releases
    from store.analytics.trends import Trends

    changes = _query("Changes")
    view = seen.view
    common: dict[str, Any] = {
        "span": seen.span,
        "where": view.where or None,
        "tz": str(seen.zone),
        "compare": "previous" if view.compare else None,
    }
    by = (view.by,) if view.by else ()
    asked: dict[str, Query] = {
        "totals": Trends(measures=TOTALS, interval=interval, **common),
        "severities": Trends(by=("severity_class",), interval=interval, **common),
        "names": Names(by=by or ("event_name",), limit=1000, **common),
        "releases": Releases(**common),
    }
    if view.by:
        asked["breakdown"] = Trends(by=by, interval=interval, limit=5, **common)
    if view.compare and changes:
        asked["changes"] = changes(**common)
    return asked


def _query(name: str) -> Any:
    """An analysis that may not be there yet."""
    try:
        return getattr(import_module(f"store.analytics.{name.lower()}"), name)
    except ModuleNotFoundError:
        return None
