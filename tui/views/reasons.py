"""What sets those who came to a step apart from those who did not: rows of a table, and its columns.

Out of the answers of `drivers`: what they did on the way, and the values that they began it with.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from store.analytics.shapes import Answer, Table
from tui.formatting import clean, count, fit
from tui.plots.bar import Segment, bar
from tui.theme import Look
from tui.views.steps import share_text
from tui.widgets.columns import Column, Row
from tui.widgets.lines import PLAIN, Part

LIMIT: Final = 100
SHARE_WIDTH: Final = 8
BAR_WIDTHS: Final = range(4, 25)
WHAT_WIDTH: Final = 26
ODDS_WIDTH: Final = 9
ODDS_MAX: Final = 999.5


@dataclass(frozen=True, slots=True)
class Reasons:
    """Of those who came to the step `before`: what tells who came to `step` from who did not."""

    before: str
    step: str
    came: int
    gone: int
    rows: Sequence[Row]

    def title(self) -> str:
        """`why pay: 8 came from cart, 12 did not`."""
        numbers = f"{count(self.came)} came from {clean(self.before)}, {count(self.gone)} did not"
        return f"why {clean(self.step)}: {numbers}"

    @property
    def advice(self) -> str:
        """What stands there where nothing is told."""
        if not self.came or not self.gone:
            return "there is nobody to compare with; esc goes back"
        return "nothing that enough of them did or had; esc goes back"


def reasons_of(answers: Sequence[Answer], before: str, step: str) -> Reasons:
    """What tells most first, whether they did it or were it."""
    tables = [answer.result for answer in answers]
    sizes: Mapping[str, Any] = {}
    rows: list[Row] = []
    for table in tables:
        assert isinstance(table, Table)
        sizes = table.summary
        rows += _rows(table)
    rows.sort(key=lambda row: (-abs(math.log(row["odds"])), row["what"]))
    return Reasons(before, step, sizes["converted"], sizes["not_converted"], rows)


def _rows(table: Table) -> Iterator[Row]:
    """`terms` is the attribute and value by which its events are found."""
    came, gone = table.summary["converted"], table.summary["not_converted"]
    for row in table.rows:
        values = row.values
        did = "event_name" in values
        name = "event_name" if did else values["attribute"]
        value = values["event_name"] if did else values["value"]
        yield {
            "what": value if did else f"{name}={value}",
            "did": did,
            "term": (name, value),
            "came": values["converted"] / came if came else 0.0,
            "gone": values["not_converted"] / gone if gone else 0.0,
            "odds": values["odds_ratio"],
        }


def reason_columns(width: int) -> tuple[Column, ...]:
    """The bars share a scale: both are shares of all on their side."""
    room = (width - WHAT_WIDTH - ODDS_WIDTH - 10) // 2 - SHARE_WIDTH
    size = max(BAR_WIDTHS[0], min(room, BAR_WIDTHS[-1])) + SHARE_WIDTH
    return (
        Column("kind", "", 3, _kind_cell, sortable=False, gap=1),
        Column("what", "did, or was", WHAT_WIDTH, _what_cell, grows=True, sortable=False, least=8),
        Column("came", "who came", size, _share_cell("came", "live"), right=True, sortable=False),
        Column("gone", "did not", size, _share_cell("gone", "muted"), right=True, sortable=False),
        Column("odds", "odds", ODDS_WIDTH, _odds_cell, right=True, sortable=False),
    )


def odds_text(odds: float, times_sign: str) -> str:
    """How many times as likely, or unlikely: `×6.0`, `>×999`."""
    times = max(odds, 1 / odds)
    if times >= ODDS_MAX:
        return f">{times_sign}999"
    return f"{times_sign}{times:.0f}" if times >= 99.5 else f"{times_sign}{times:.1f}"


def _kind_cell(row: Row, width: int, look: Look) -> list[Part]:
    return [(fit("did" if row["did"] else "was", width), look.style("dim"))]


def _what_cell(row: Row, width: int, look: Look) -> list[Part]:
    return [(fit(row["what"], width, ellipsis=look.glyphs.ellipsis), look.style("bright"))]


def _share_cell(name: str, role: str) -> Any:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        drawn = bar([Segment(role, row[name])], width - SHARE_WIDTH, look)
        shown = share_text(row[name]) if row[name] else look.glyphs.nothing
        return [
            *((part.text, part.style or PLAIN) for part in drawn),
            (shown.rjust(SHARE_WIDTH), look.style("text" if row[name] else "faint")),
        ]

    return cell


def _odds_cell(row: Row, width: int, look: Look) -> list[Part]:
    """The sign says which way: more among those who came, or less."""
    odds, glyphs = row["odds"], look.glyphs
    sign, role = (glyphs.up, "good") if odds > 1 else (glyphs.down, "bad")
    if odds == 1:
        sign, role = glyphs.same, "dim"
    shown = odds_text(odds, glyphs.times)
    return [(f"{sign} ", look.style(role)), (shown.rjust(width - 2), look.style("text"))]
