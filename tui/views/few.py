"""The columns of the table of few people's ways through a funnel."""

from typing import Any, Final

from tui.formatting import NONE, fit, value_name
from tui.theme import Look
from tui.views.sequences import NOTHING
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

_ROLES: Final = {"converted": "live", "may still come": "muted", "stopped": "dim"}


def few_columns(by: str) -> tuple[Column, ...]:
    """Who, the value of a breakdown where there is one, how it went, the way, and what came then."""
    value = [Column("key", by, 12, _text(_value), rank=2, sortable=False)] if by else []
    return (
        Column("user", "who", 12, _text(_name, "bright"), sortable=False),
        *value,
        Column("outcome", "", 14, _outcome_cell, rank=1, sortable=False),
        Column("way", "way", 30, _way_cell, grows=True, sortable=False),
        Column("then", "then", 16, _then_cell, sortable=False),
    )


def _name(row: Row) -> str:
    return row["user"] or "(nobody known)"


def _value(row: Row) -> str:
    return ", ".join(map(value_name, row["key"].values())) or NONE


def _text(of: Any, role: str = "text") -> Any:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        return [(fit(str(of(row)), width, ellipsis=look.glyphs.ellipsis), look.style(role))]

    return cell


def _outcome_cell(row: Row, width: int, look: Look) -> list[Part]:
    return [(fit(row["outcome"], width), look.style(_ROLES[row["outcome"]]))]


def _way_cell(row: Row, width: int, look: Look) -> list[Part]:
    cut = look.glyphs.ellipsis
    shown = row["way"].replace("▸", look.glyphs.folded).replace("…", cut)
    return [(fit(shown, width, ellipsis=cut), look.style("text"))]


def _then_cell(row: Row, width: int, look: Look) -> list[Part]:
    role = "dim" if row["then"] == NOTHING else "text"
    return [(fit(row["then"], width, ellipsis=look.glyphs.ellipsis), look.style(role))]
