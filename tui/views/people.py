"""Who came to a step of a funnel, or no further: rows of a table, and its columns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from rich.cells import cell_len

from store.analytics.shapes import Steps, StepUser
from store.timespan import TimeSpan
from tui.formatting import clean, clock, count, fit, percent
from tui.theme import Look
from tui.views.steps import Stop, took
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

ROWS_MAX: Final = 10_000
"""The newest of more are shown; the title counts them all."""
NOTHING: Final = "nothing more"
THEN_MAX: Final = 4
_STATES: Final = {"gone": ("down", "bad"), "open": ("detached", "muted"), "on": ("up", "live")}
_WORDS: Final = {"gone": "gone", "open": "may still come", "on": "went on"}


@dataclass(frozen=True, slots=True)
class People:
    """Those under a number of the funnel: who went no further, may still, or went on."""

    stop: Stop
    step: str
    counts: Mapping[str, int]
    rows: Sequence[Row]
    then: Sequence[tuple[str, float]] = ()
    """What they did next, and the share of `rows` that did: the commonest first."""

    def title(self, subjects: str) -> str:
        """`1,269 users did not come to checkout`."""
        number = count(sum(self.counts.values()))
        did = "did not come to" if self.stop.gone else "came to"
        return f"{number} {subjects} {did} {clean(self.step)}"

    def note(self, width: int) -> str:
        """How many of them are in which state, and what they did next, as far as there is room."""
        note = ", ".join(f"{count(n)} {_WORDS[state]}" for state, n in self.counts.items() if n)
        for at, (name, share) in enumerate(self.then):
            more = f"{', then ' if not at else ', '}{clean(name)} {percent(share, digits=0)} %"
            if cell_len(note + more) > width:
                break
            note += more
        return note


def stop_text(stop: Stop) -> str:
    """As a view keeps it: `gone:2`, `here:2`, steps numbered from 1."""
    return f"{'gone' if stop.gone else 'here'}:{stop.step + 1}"


def stop_of(text: str) -> Stop | None:
    """None for a text that is none."""
    kind, _, number = text.partition(":")
    if kind not in ("gone", "here") or not number.isdecimal() or int(number) < 1:
        return None
    return Stop(int(number) - 1, gone=kind == "gone")


def people_of(found: Steps, stop: Stop, before: int) -> People:
    """Those of `found.users` that the stop counts: the newest first, those who are gone before
    those who are not. `before` is the last required step before it.
    """
    at = min(stop.step, len(found.steps) - 1)
    stop = Stop(at, stop.gone)
    users = (found.users or {}).items()
    wanted = [(name, user) for name, user in users if _counts(user, stop, before)]
    last = len(found.steps)
    rows = [_row(name, user, at, found, last=last) for name, user in wanted]
    rows.sort(key=lambda row: row["user"])
    rows.sort(key=lambda row: row["at"], reverse=True)
    if stop.gone:
        rows.sort(key=lambda row: row["state"] != "gone")
    counts = {state: sum(row["state"] == state for row in rows) for state in _STATES}
    return People(stop, found.steps[at].name, counts, rows[:ROWS_MAX])


def with_next(people: People, then: Mapping[str, str]) -> People:
    """With what each did after the last step, by who it is."""
    rows = [{**row, "then": then.get(row["user"], NOTHING)} for row in people.rows]
    counted = Counter(row["then"] for row in rows)
    shares = [(name, n / len(rows)) for name, n in counted.most_common(THEN_MAX)]
    return replace(people, rows=rows, then=shares)


def _counts(user: StepUser, stop: Stop, before: int) -> bool:
    came = _came(user, stop.step)
    return _came(user, before) and not came if stop.gone else came


def _came(user: StepUser, at: int) -> bool:
    return at < len(user.step_times) and user.step_times[at] is not None


def _row(name: str, user: StepUser, at: int, found: Steps, *, last: int) -> dict[str, Any]:
    reached = [time for time in user.step_times if time is not None]
    came_on = user.level == last or user.level > at + 1
    state = "on" if came_on else "open" if user.is_open else "gone"
    furthest = max(step for step, time in enumerate(user.step_times) if time is not None)
    return {
        "user": name,
        "state": state,
        "level": user.level,
        "reached": found.steps[furthest].name,
        "at": reached[-1],
        "took": (reached[-1] - reached[0]).total_seconds() if len(reached) > 1 else None,
    }


# The table


def people_columns(span: TimeSpan, zone: tzinfo) -> tuple[Column, ...]:
    """With the date where the span covers more than one."""
    days = span.start.astimezone(zone).date() != span.end.astimezone(zone).date()
    return (
        Column("state", "", 16, _state_cell, sortable=False),
        Column("user", "who", 16, _text_cell("user", "bright"), grows=True, sortable=False),
        Column("reached", "came to", 18, _text_cell("reached", "text"), sortable=False),
        Column("at", "at", 15 if days else 8, _time_cell(zone, days=days), sortable=False),
        Column("took", "took", 6, _took_cell, right=True, rank=1, sortable=False),
        Column("then", "then", 18, _then_cell, sortable=False),
    )


def _state_cell(row: Row, width: int, look: Look) -> list[Part]:
    glyph, role = _STATES[row["state"]]
    sign = f"{getattr(look.glyphs, glyph)} "
    return [(sign, look.style(role)), (fit(_WORDS[row["state"]], width - 2), look.style("dim"))]


def _then_cell(row: Row, width: int, look: Look) -> list[Part]:
    then = row.get("then", "")
    shown = fit(then, width, ellipsis=look.glyphs.ellipsis)
    return [(shown, look.style("dim" if then == NOTHING else "text"))]


def _text_cell(name: str, role: str) -> Any:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        shown = fit(str(row[name]) or "(nobody known)", width, ellipsis=look.glyphs.ellipsis)
        return [(shown, look.style(role))]

    return cell


def _time_cell(zone: tzinfo, *, days: bool) -> Any:
    def cell(row: Row, _width: int, look: Look) -> list[Part]:
        at: datetime = row["at"]
        day = f"{at.astimezone(zone):%d %b} " if days else ""
        return [(day, look.style("dim")), (clock(at, zone), look.style("text"))]

    return cell


def _took_cell(row: Row, width: int, look: Look) -> list[Part]:
    shown = took(row["took"]) or look.glyphs.nothing
    return [(shown.rjust(width), look.style("text" if row["took"] is not None else "faint"))]
