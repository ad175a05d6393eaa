"""One user in a funnel: the attempt that counts, what ended it, and all that he did meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from rich.cells import cell_len

from store.analytics.shapes import Table
from store.timespan import TimeSpan, parse_instant
from tui.formatting import clean, clock, fit, length
from tui.store_door import Cancelled, Store
from tui.theme import Look
from tui.view_state import Seen, View
from tui.views.event_columns import event_columns
from tui.views.event_table import Shown, find, page_of
from tui.views.funnel_question import USER, Definition
from tui.views.sequences import TELLING
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

EVENTS_MAX: Final = 500
# Somebody who stopped without a limit is looked at for so long.
LOOKED_ON: Final = timedelta(days=1)
ROOM: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Journey:
    """What `eventdeck why` says, beside the events."""

    user: str
    told: Mapping[str, Any]
    rows: Sequence[Row]
    span: TimeSpan

    def title(self) -> str:
        """`ada: stopped after 2 of 4`."""
        level, of = self.told.get("level", 0), self.told.get("of", 0)
        outcome = str(self.told.get("outcome", ""))
        after = f" after {level} of {of}" if outcome != "converted" and level else ""
        return f"{clean(self.user)}: {outcome}{after}"

    def note(self, zone: tzinfo) -> str:
        """What ended it, and until when it could have gone on."""
        parts = []
        if by := self.told.get("ended_by"):
            parts.append(f"ended by {clean(str(by))}{_at(self.told.get('ended_at'), zone)}")
        if ends := self.told.get("step_ends"):
            parts.append(f"next step{_at(ends, zone, 'until')}")
        if ends := self.told.get("window_ends"):
            parts.append(f"window{_at(ends, zone, 'until')}")
        if (attempts := self.told.get("attempts") or 1) > 1:
            parts.append(f"best of {attempts} attempts")
        return ", ".join(parts)


def journey_of(
    store: Store, seen: Seen, definition: Definition, user: str, cancelled: Cancelled
) -> Journey:
    """Asks why, and for the events from a little before the first step on."""
    from store.analytics.funnel.why import Why

    answer = store.run(Why(user=user, **definition.common(seen)), cancelled=cancelled)
    assert isinstance(answer.result, Table)
    steps = {
        (row.values["time"], row.values["event_name"]): row.values["at"]
        for row in answer.result.rows
        if row.values["time"] is not None
    }
    told = answer.result.summary
    span = _span([time for time, _ in steps], told, seen)
    names = {name for _, name in steps}
    view = View(where=_events_of(definition.per, user, names))
    found = find(store, view, span, Shown())
    # The newest come first; of more than are shown, the oldest tell how it went.
    total = found.rows.total
    page = page_of(found.rows, range(max(0, total - EVENTS_MAX), total))
    events = [page[at] for at in sorted(page, reverse=True)]
    return Journey(user, told, together(events, steps), span)


def together(events: Sequence[Row], steps: Mapping[tuple[datetime, str], int]) -> Sequence[Row]:
    """A row for each `event`, with `step` (its number, or None), `times` and `since` (how long
    after the row before); neighbours of one name that are no step are one row.
    """
    rows: list[dict[str, Any]] = []
    for event in events:
        step = steps.get((event["event_time"], event["event_name"]))
        before = rows[-1] if rows else None
        same = before and before["event"]["event_name"] == event["event_name"]
        if before and same and step is None and before["step"] is None:
            before["times"] += 1
            continue
        since = event["event_time"] - before["event"]["event_time"] if before else None
        rows.append({"event": event, "step": step, "times": 1, "since": since})
    return rows


def _span(times: Sequence[datetime], told: Mapping[str, Any], seen: Seen) -> TimeSpan:
    if not times:
        return seen.span
    ends = told.get("window_ends")
    until = parse_instant(ends, now=seen.now, zone=seen.zone) if ends else max(times) + LOOKED_ON
    # A look beyond the window shows who came too late.
    end = min(until + (until - min(times)) / 4, seen.now + ROOM)
    return TimeSpan(min(times) - ROOM, max(end, max(times) + ROOM))


def _events_of(per: str, user: str, names: set[str]) -> str:
    from store.analytics.filters import parse_filter, term

    who = term(per, "=", user).text()
    if per == USER:
        who = f"{who} or {term('install_id', '=', user).text()}"
    wanted = " or ".join(
        [TELLING, *([term("event_name", "=", *sorted(names)).text()] if names else [])]
    )
    return parse_filter(f"({who}) ({wanted})").text()


def _at(instant: object, zone: tzinfo, word: str = "at") -> str:
    found = datetime.fromisoformat(str(instant)) if instant else None
    return f" {word} {clock(found, zone)}" if found else ""


# The table


def journey_columns(span: TimeSpan, zone: tzinfo) -> tuple[Column, ...]:
    """When, how much later, which step, what, and what the event says."""
    common = {column.name: _of_event(column) for column in event_columns(span, zone)}
    return (
        common["event_time"],
        Column("since", "after", 7, _since_cell, right=True, rank=2, sortable=False),
        Column("step", "step", 4, _step_cell, sortable=False),
        common["severity"],
        Column("event_name", "what", 24, _name_cell, sortable=False),
        common["message"],
    )


def _of_event(column: Column) -> Column:
    return replace(
        column,
        cell=lambda row, width, look: column.cell(row["event"], width, look),
        sortable=False,
    )


def _since_cell(row: Row, width: int, look: Look) -> list[Part]:
    since = row["since"]
    shown = f"+{length(since)}" if since is not None else ""
    return [(fit(shown, width, right=True), look.style("dim"))]


def _step_cell(row: Row, width: int, look: Look) -> list[Part]:
    step = row["step"]
    if step is None:
        return [(" " * width, look.style("dim"))]
    return [(f"{look.glyphs.folded} {step}".ljust(width), look.style("live", bold=True))]


def _name_cell(row: Row, width: int, look: Look) -> list[Part]:
    times = f" {look.glyphs.times}{row['times']}" if row["times"] > 1 else ""
    is_step, name = row["step"] is not None, str(row["event"]["event_name"])
    shown = fit(name, width - len(times), ellipsis=look.glyphs.ellipsis).rstrip()
    gap = " " * max(0, width - len(times) - cell_len(shown))
    return [
        (shown, look.style("bright" if is_step else "text", bold=is_step)),
        (times + gap, look.style("dim")),
    ]
