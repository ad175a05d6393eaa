"""The breakdown of steps as a table: a row a value, a bar and a share a step."""

from collections.abc import Sequence
from typing import Any, Final

from store.analytics.shapes import StepGroup, Steps, StepShare
from tui.formatting import count, fit
from tui.plots.bar import Segment, bar
from tui.theme import Look
from tui.views.steps import share_text
from tui.widgets.columns import Column, Row
from tui.widgets.lines import PLAIN, Part

SHARE_WIDTH: Final = 8
BAR_WIDTHS: Final = (8, 14)
OTHERS: Final = "(others)"
NONE: Final = "(none)"


def group_rows(found: Steps) -> list[Row]:
    """In their order: those with the most in the first step first, the folded one last."""
    return [{"value": group_name(group), "group": group} for group in found.groups]


def group_name(group: StepGroup) -> str:
    if group.folded:
        return OTHERS
    return ", ".join(group.key.values()) or NONE


def group_columns(steps: Sequence[StepShare], by: str, width: int) -> tuple[Column, ...]:
    """Shares are of the value's own first step. The last step stays longest where room is short."""
    wide = BAR_WIDTHS[1] if width >= BAR_WIDTHS[1] * 2 * len(steps) + 30 else BAR_WIDTHS[0]
    last = len(steps) - 1
    return (
        Column("value", by, 12, _value_cell, grows=True, sortable=False),
        Column("first", "first", 9, _first_cell, right=True, sortable=False),
        *(
            Column(
                f"step{at}",
                fit(steps[at].name, wide + SHARE_WIDTH).strip(),
                wide + SHARE_WIDTH,
                _share_cell(at, last=at == last),
                right=True,
                rank=0 if at == last else at,
                sortable=False,
            )
            for at in range(1, len(steps))
        ),
    )


def _value_cell(row: Row, width: int, look: Look) -> list[Part]:
    group: StepGroup = row["group"]
    style = look.style("dim" if group.folded else "bright", bold=not group.folded)
    return [(fit(str(row["value"]), width, ellipsis=look.glyphs.ellipsis), style)]


def _first_cell(row: Row, width: int, look: Look) -> list[Part]:
    return [(count(row["group"].steps[0].count).rjust(width), look.style("text"))]


def _share_cell(at: int, *, last: bool) -> Any:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        steps: Sequence[StepShare] = row["group"].steps
        step = steps[at]
        segments = [
            Segment("live" if last else "info", step.conversion),
            Segment("muted", step.still_possible / steps[0].count if steps[0].count else 0, 1),
        ]
        drawn = bar(segments, width - SHARE_WIDTH, look)
        shown = share_text(step.conversion).rjust(SHARE_WIDTH)
        return [
            *((part.text, part.style or PLAIN) for part in drawn),
            (shown, look.style("bright" if last else "text")),
        ]

    return cell
