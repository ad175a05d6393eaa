"""The two rows on top of every screen: where one is, and what one looks at."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from store.timespan import TimeSpan, duration_text
from tui.formatting import clean, clock, count, length
from tui.theme import Look
from tui.view_state import View
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, cells, line

Tab = tuple[str, str, str]
"""The key, the label and the name of a screen."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the header says beside the tabs; past and present are told in words."""

    now: datetime
    view: View
    zone: tzinfo = UTC
    new_events: int = 0
    """Stored since the view left the live edge."""
    waiting_seconds: int = 0
    """How long the shown answer has been outdated; 0 is not at all."""
    store_open: bool = True
    scope: str = ""
    """What the screen shows, when that is not the view's span and filter."""
    compares: bool = True
    """Whether it shows the span before as well."""
    unreadable: int = 0
    """Parts of the span that could not be read: their events are missing from what is drawn."""


class Header(Drawn):
    """The name, the tabs, and whether the picture is live."""

    status: reactive[Status | None] = reactive(None, repaint=False)

    def __init__(self, tabs: tuple[Tab, ...], current: str) -> None:
        super().__init__(id="header")
        self.tabs = tabs
        self.current = current
        self._hits: list[tuple[range, str]] = []

    def watch_status(self) -> None:
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width = size.width
        end = self._status(look)
        room = width - cells(end) - 2
        every = len(self.tabs)
        for names_shown, gap in ((every, " "), *((n, "") for n in range(every, -1, -1))):
            left = self._tabs(look, names_shown, gap)
            if cells(left) <= room:
                break
        return [line(left, width, end, ellipsis=look.glyphs.ellipsis)]

    def _tabs(self, look: Look, names_shown: int, gap: str) -> list[Part]:
        """Names while they fit, at last closer together, then numbers; the current one keeps its
        name.
        """
        bar = look.glyphs.bar
        parts: list[Part] = [
            (f" {bar}", look.style("live")),
            ("eventdeck  ", look.style("bright", bold=True)),
        ]
        self._hits = []
        for index, (key, label, name) in enumerate(self.tabs):
            at = cells(parts)
            beside = any(mode == self.current for _, _, mode in self.tabs[index + 1 : index + 2])
            if name == self.current:
                parts.append((f" {key} {label} ", current_style(look)))
            elif index < names_shown:
                parts += [
                    (f" {key}", look.style("primary", bold=True)),
                    (f" {label}{' ' if beside else gap}", look.style("text")),
                ]
            else:
                space = " " if beside else ""
                parts.append((f" {key}{space}", look.style("primary", bold=True)))
            self._hits.append((range(at, cells(parts)), name))
        return parts

    def _status(self, look: Look) -> list[Part]:
        status = self.status
        if status is None:
            return []
        parts: list[Part] = []
        if status.unreadable:
            sign = f"{look.glyphs.severity['warning']} {count(status.unreadable)} unreadable  "
            parts.append((sign, look.style("warning")))
        if status.waiting_seconds:
            parts.append((f"asking {status.waiting_seconds}s  ", look.style("warning")))
        parts += _edge(status, look)
        return [*parts, (f" {clock(status.now, status.zone)} ", look.style("text"))]

    def on_click(self, click: events.Click) -> None:
        for hit, name in self._hits:
            if click.x in hit:
                self.app.action_go(name)  # type: ignore[attr-defined]


def current_style(look: Look) -> Style:
    """What marks the current one of several: a block of colour, or reversed without colours."""
    if look.colour == "full":
        return look.style("background", bold=True, on="primary")
    return Style(reverse=True, bold=True)


def span_text(span: TimeSpan, status: Status) -> str:
    """A fixed span as it reads shortest: the day when it is not today, the year when
    it is not this one, seconds when they matter.
    """
    zone = status.zone
    start, end = span.start.astimezone(zone), span.end.astimezone(zone)
    seconds = span.length < timedelta(minutes=10) or start.second or end.second
    pattern = "%H:%M:%S" if seconds else "%H:%M"
    today = status.now.astimezone(zone).date()
    # The year where it is another one: at the end, or at both where they differ.
    year = "" if end.year == today.year else f"{end:%Y} "
    start_year = year if start.year == end.year else f"{start:%Y} "
    same_day = end.date() == start.date()
    day = "" if start.date() == today else f"{start:%d %b} {start_year}"
    end_day = "" if same_day else f"{end:%d %b} {year}"
    return f"{day}{start:{pattern}} - {end_day}{end:{pattern}}"


def _edge(status: Status, look: Look) -> list[Part]:
    """The relation to now, as a sign and a word."""
    glyphs = look.glyphs
    new = f" {count(status.new_events)} new" if status.new_events else ""
    if not status.store_open:
        return [(f"{glyphs.detached} opening", look.style("dim"))]
    if status.view.paused:
        return [
            (f"{glyphs.paused} paused", look.style("warning", bold=True)),
            (new, look.style("text")),
        ]
    if status.view.live:
        return [(f"{glyphs.live} live", look.style("live", bold=True))]
    return [(f"{glyphs.detached}", look.style("warning")), (new or " past", look.style("text"))]


def _told(status: Status) -> tuple[object, ...]:
    """All that the span row tells of it."""
    return status.view, status.zone, status.scope, status.compares


@dataclass(frozen=True, slots=True)
class Rates:
    """What comes in and what is drawn, a second."""

    events: float | None = None
    bytes_sent: float | None = None


class SpanRow(Drawn):
    """What one looks at: the span, what it is compared with, the filter, the breakdown."""

    status: reactive[Status | None] = reactive(None, repaint=False)
    rates: reactive[Rates] = reactive(Rates(), repaint=False)

    def __init__(self) -> None:
        super().__init__(id="span-row")
        self._filter_at = 0

    def on_click(self, click: events.Click) -> None:
        """The filter opens the filter bar, what stands left of it the span picker."""
        if self.status and not self.status.scope:
            action = "span" if click.x < self._filter_at else "filter"
            self.app.call_next(self.app.run_action, f"app.{action}")

    def watch_status(self, old: Status | None, new: Status | None) -> None:
        if old is None or new is None or _told(old) != _told(new):
            self.redraw()

    def watch_rates(self) -> None:
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width = size.width
        if self.status is None:
            return []
        shown, rates = self._view(self.status, look), self._rates(look)
        return [line(shown, width, rates, ellipsis=look.glyphs.ellipsis)]

    def _view(self, status: Status, look: Look) -> list[Part]:
        view = status.view
        if status.scope:
            return [("  " + status.scope, look.style("dim"))]
        dim, text, bright = (look.style(role) for role in ("dim", "text", "bright"))
        strong = look.style("bright", bold=True)
        if isinstance(view.span, TimeSpan):
            parts = [("  ", dim), (span_text(view.span, status), strong)]
            against = f"{length(view.length)} before"
        else:
            parts = [("  last ", dim), (duration_text(view.length), strong)]
            against = f"previous {duration_text(view.length)}"
        if view.compare and status.compares:
            parts += [("  vs ", dim), (against, text)]
        self._filter_at = cells(parts) + 2
        parts.append(("   / ", look.style("mark", bold=True)))
        parts.append((clean(view.where), bright) if view.where else ("no filter", dim))
        if view.by:
            parts += [("   by ", dim), (clean(view.by), bright)]
        return parts

    def _rates(self, look: Look) -> list[Part]:
        parts: list[Part] = []
        dim, bright = look.style("dim"), look.style("bright")
        if self.rates.events is not None:
            parts += [(" " + count(self.rates.events), bright), (" ev/s", dim)]
        if self.rates.bytes_sent is not None:
            # In tenths of a kB: in bytes, showing the rate would be a change to be shown.
            sent = f"{self.rates.bytes_sent / 1000:.1f}"
            parts += [(f"  {look.glyphs.received}", dim), (sent, bright), (" kB/s", dim)]
        return [*parts, ("  ", dim)]
