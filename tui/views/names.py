"""The answer of `names` as rows of the table."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from store.analytics.shapes import Answer, Row, Table
from store.timespan import TimeSpan
from tui.formatting import clean, moment
from tui.view_state import View
from tui.widgets.names_table import NameRow, NameRows


def name_rows(answer: Answer, view: View, note: str = "") -> NameRows:
    """Sorted as the view wants it; `note` stands where there is no row."""
    assert isinstance(answer.result, Table)
    attribute = view.by or "event_name"
    return NameRows(
        rows=tuple(_rows(answer.result, attribute)),
        title=f"events by {clean(view.by)}" if view.by else "events",
        attribute=attribute,
        sort=view.sort or "count",
        reverse=view.reverse,
        note=note,
    )


def nothing_here(view: View, stored: TimeSpan | None, now: datetime, zone: tzinfo) -> str:
    """What to do about a span without events."""
    if view.where:
        return "no event matches; / changes the filter, - looks at more time"
    newest = f"; the newest is from {moment(stored.end, zone, now)}" if stored else ""
    return f"no events in this time{newest}; - looks at more, t picks another"


def _rows(table: Table, attribute: str) -> Iterator[NameRow]:
    for row in table.rows:
        yield _row(row, attribute)


def _row(row: Row, attribute: str) -> NameRow:
    values = row.values
    return NameRow(
        name="everything else" if row.folded else row.key.get(attribute, ""),
        count=values.get("count") or 0,
        rate=values.get("rate") or 0.0,
        error_share=values.get("error_share"),
        p50=values.get("p50"),
        p95=values.get("p95"),
        p99=values.get("p99"),
        trend=tuple(values.get("trend") or ()),
        folded=row.folded,
        few=tuple(row.few),
    )
