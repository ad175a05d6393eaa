"""The answer of `names` as rows of the table."""

from collections.abc import Iterator

from store.analytics.shapes import Answer, Row, Table
from tui.formatting import clean
from tui.view_state import View
from tui.widgets.names_table import NameRow, NameRows


def name_rows(answer: Answer, view: View) -> NameRows:
    """Sorted as the view wants it."""
    assert isinstance(answer.result, Table)
    attribute = view.by or "event_name"
    return NameRows(
        rows=tuple(_rows(answer.result, attribute)),
        title=f"events by {clean(view.by)}" if view.by else "events",
        attribute=attribute,
        sort=view.sort or "count",
        reverse=view.reverse,
    )


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
    )
