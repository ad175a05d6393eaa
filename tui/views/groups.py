"""The breakdown of steps as a table: a row a value, a bar and a share a step."""

from collections.abc import Sequence
from typing import Any, Final

from store.analytics.shapes import StepGroup, Steps, StepShare
from tui.formatting import NONE, OTHERS, count, fit, value_name
from tui.plots.bar import Segment, bar
from tui.theme import Look
from tui.views.sequences import is_few, of_text
from tui.views.steps import share_text
from tui.widgets.columns import Column, Row
from tui.widgets.lines import PLAIN, Part

SHARE_WIDTH: Final = 8
BAR_WIDTHS: Final = range(6, 21)
VALUE_WIDTHS: Final = range(10, 25)
FIRST_WIDTH: Final = 9
GAP: Final = 2


def group_rows(found: Steps) -> list[Row]:
    """In their order: those with the most in the first step first, the folded one last."""
    return [{"value": group_name(group), "group": group} for group in found.groups]


def group_name(group: StepGroup) -> str:
    if group.folded:
        return OTHERS
    return ", ".join(map(value_name, group.key.values())) or NONE


def group_columns(found: Steps, by: str, width: int) -> tuple[Column, ...]:
    """Shares are of the value's own first step; the bars of a column share a scale, so that the
    values can be compared. Where there is no room for all steps, the last one stays.
    """
    steps = found.steps
    last = len(steps) - 1
    longest = max((len(group_name(group)) for group in found.groups), default=0)
    value = max(VALUE_WIDTHS[0], min(longest, VALUE_WIDTHS[-1]))
    room = (width - value - FIRST_WIDTH - GAP * 2) // max(1, last) - SHARE_WIDTH - GAP
    size = max(BAR_WIDTHS[0], min(room, BAR_WIDTHS[-1])) + SHARE_WIDTH
    return (
        Column("value", by, value, _value_cell, grows=True, sortable=False),
        Column("first", "first", FIRST_WIDTH, _first_cell, right=True, sortable=False),
        *(
            Column(
                f"step{at}",
                fit(steps[at].name, size).strip(),
                size,
                _share_cell(at, _top(found, at), last=at == last),
                right=True,
                rank=0 if at == last else at,
                sortable=False,
            )
            for at in range(1, len(steps))
        ),
    )


def _top(found: Steps, at: int) -> float:
    """The largest share of any value that came to a step, or may."""
    return max((sum(_shares(group.steps, at)) for group in found.groups), default=0.0)


def _shares(steps: Sequence[StepShare], at: int) -> tuple[float, float]:
    """Who came, and who may still come."""
    first = steps[0].count
    return steps[at].conversion, steps[at].still_possible / first if first else 0.0


def _value_cell(row: Row, width: int, look: Look) -> list[Part]:
    group: StepGroup = row["group"]
    style = look.style("dim" if group.folded else "bright", bold=not group.folded)
    return [(fit(str(row["value"]), width, ellipsis=look.glyphs.ellipsis), style)]


def _first_cell(row: Row, width: int, look: Look) -> list[Part]:
    return [(count(row["group"].steps[0].count).rjust(width), look.style("text"))]


def _share_cell(at: int, top: float, *, last: bool) -> Any:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        steps = row["group"].steps
        came, open_ = _shares(steps, at)
        told = of_text(steps[at].count, steps[0].count) if is_few(steps) else share_text(came)
        scale = 1 / top if top > 0 else 0.0
        segments = [
            Segment("live" if last else "info", came * scale),
            Segment("muted", open_ * scale, shade=1),
        ]
        drawn = bar(segments, width - SHARE_WIDTH, look)
        return [
            *((part.text, part.style or PLAIN) for part in drawn),
            (told.rjust(SHARE_WIDTH), look.style("bright" if last else "text")),
        ]

    return cell
