"""The table of events by name (or by what one breaks down by): sorted, with a cursor and a trend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import count, duration, fit, percent, rate, value_name
from tui.messages import RowsWanted, SortPicked
from tui.plots.scale import Value
from tui.plots.trend import trend
from tui.theme import Look
from tui.told import Told, told_of
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, line

NAME_WIDTH_MIN: Final = 12
# Shares of errors at which a row is amber, red, and red all over.
AMBER, RED, ALL_RED = 0.01, 0.05, 0.5


@dataclass(frozen=True, slots=True)
class NameRow:
    """One row; None is unknown or absent."""

    name: str
    count: float
    rate: float
    error_share: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    trend: Sequence[Value] = ()
    folded: bool = False
    """It stands for all the rest."""
    few: Sequence[str] = ()
    """The percentiles that rest on too few durations; a `*` stands before them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers: how wide, and the parts of its cell."""

    name: str
    title: str
    width: int
    cell: Callable[[NameRow, Look], list[Part]]


def _count(row: NameRow, look: Look) -> list[Part]:
    return [(count(row.count).rjust(8), look.style("bright"))]


def _rate(row: NameRow, look: Look) -> list[Part]:
    return [(rate(row.rate).rjust(7), look.style("text"))]


def _errors(row: NameRow, look: Look) -> list[Part]:
    share = row.error_share
    if not share:
        return [(look.glyphs.nothing.rjust(7), look.style("faint"))]
    role = "error" if share >= RED else "warning" if share >= AMBER else "dim"
    return [(percent(share, digits=1).rjust(7), look.style(role, bold=share >= RED))]


def _duration(name: str) -> Callable[[NameRow, Look], list[Part]]:
    def cell(row: NameRow, look: Look) -> list[Part]:
        value: float | None = getattr(row, name)
        if value is None:
            return [(f"{look.glyphs.nothing:>5}  ", look.style("faint"))]
        number, unit = duration(value)
        number = f"*{number}" if name in row.few else number
        unit = unit.replace("µ", look.glyphs.micro)
        return [(number.rjust(5), look.style("text")), (unit.ljust(2), look.style("dim"))]

    return cell


COLUMNS: Final = (
    Column("count", "count", 8, _count),
    Column("rate", "ev/s", 7, _rate),
    Column("error_share", "err %", 7, _errors),
    *(Column(name, name, 7, _duration(name)) for name in ("p50", "p95", "p99")),
)
SORTS: Final = ("count", "rate", "error_share", "p50", "p95", "p99", "name")


@dataclass(frozen=True, slots=True)
class NameRows:
    """What the table shows: rows in no order; the table sorts them."""

    rows: Sequence[NameRow]
    title: str = "events"
    attribute: str = "event_name"
    """Of which the names are values."""
    sort: str = "count"
    reverse: bool = False
    note: str = ""
    """What to do when there is no row."""

    def ordered(self) -> list[NameRow]:
        """Largest first, names from A; `reverse` turns it; unknown and folded rows stay last."""
        key = self.sort if self.sort in SORTS else "count"
        named = sorted((r for r in self.rows if not r.folded), key=lambda row: row.name)
        known = [row for row in named if getattr(row, key) is not None]
        down = (key != "name") != self.reverse
        known.sort(key=lambda row: getattr(row, key), reverse=down)
        return [
            *known,
            *(row for row in named if getattr(row, key) is None),
            *(row for row in self.rows if row.folded),
        ]

    def columns(self, width: int) -> list[Column]:
        """Those that hold something; from the right, what does not fit goes."""
        held = [c for c in COLUMNS if any(getattr(row, c.name) is not None for row in self.rows)]
        while held and sum(c.width for c in held) + NAME_WIDTH_MIN > width:
            held.pop()
        return held


class NamesTable(Drawn, can_focus=True):
    """Posts RowsWanted for the row under the cursor, and SortPicked."""

    HELP = (
        "What happened, how often and how well: err % is of all events with the name, durations "
        "are of duration_ms, the trend is eight shares of the span. A * stands before a percentile "
        "of too few durations: a p95 needs 20, a p99 100. enter shows the events."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "open", "open", tooltip="look at the events of this name", id="names.open"
        ),
        Binding("s", "sort", "sort by the next column", show=False, id="names.sort"),
        Binding("S", "reverse", "reverse the order", show=False, id="names.reverse"),
        Binding("down,j", "move(1)", "down", show=False, system=True, id="names.down"),
        Binding("up,k", "move(-1)", "up", show=False, system=True, id="names.up"),
        Binding("pagedown", "page(1)", "page down", show=False, system=True, id="names.page_down"),
        Binding("pageup", "page(-1)", "page up", show=False, system=True, id="names.page_up"),
        Binding("home", "move(-100000)", "first", show=False, system=True, id="names.first"),
        Binding("end", "move(100000)", "last", show=False, system=True, id="names.last"),
    ]
    names: reactive[NameRows] = reactive(NameRows(()), repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._ordered: list[NameRow] = []
        self._cursor = 0
        self._top = 0
        self._titles: list[tuple[range, str]] = []

    def watch_names(self, new: NameRows) -> None:
        under = self._ordered[self._cursor].name if self._ordered else None
        self._ordered = new.ordered()
        # The cursor stays on its name, not on its place.
        places = {row.name: place for place, row in enumerate(self._ordered)}
        kept = places.get(under, self._cursor) if under is not None else self._cursor
        self._cursor = max(0, min(kept, len(self._ordered) - 1))
        self.border_title = new.title
        self._place()

    @property
    def current(self) -> NameRow | None:
        """The row under the cursor."""
        return self._ordered[self._cursor] if self._ordered else None

    def told(self) -> Told:
        of, numbers = self.names.attribute, [name for name in SORTS if name != "name"]
        rows = self.names.ordered()
        return told_of({of: row.name, **{n: getattr(row, n) for n in numbers}} for row in rows)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.redraw()

    def on_resize(self) -> None:
        self._place()

    def _place(self) -> None:
        """Scrolls so that the cursor is seen, and says which rows are."""
        rows, total = max(1, self.size.height - 1), len(self._ordered)
        self._top = max(min(self._top, self._cursor), self._cursor - rows + 1, 0)
        self._top = max(0, min(self._top, total - rows))
        what = "name" if self.names.attribute == "event_name" else "value"
        what += "s" if total != 1 else ""
        seen = f"{self._top + 1}-{min(self._top + rows, total)} of " if total > rows else ""
        shown = self._ordered[self._top : self._top + rows]
        few = "* on too few durations, " if any(row.few for row in shown) else ""
        self.border_subtitle = f" {few}{seen}{count(total)} {what} " if total else ""
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        if not self._ordered:
            return [line([(self.names.note, look.style("dim"))], width)]
        columns = self.names.columns(width)
        room = width - sum(column.width for column in columns)
        trend_width = max(len(row.trend) for row in self._ordered)
        if trend_width and room - trend_width - 2 < NAME_WIDTH_MIN:
            trend_width = 0
        room -= trend_width + 2 if trend_width else 0
        rows = [self._head(columns, room, width, look)]
        for place in range(self._top, min(self._top + height - 1, len(self._ordered))):
            row = self._ordered[place]
            strip = line(_cells(row, columns, room, trend_width, look), width)
            if place == self._cursor and self.has_focus:
                strip = look.select(strip)
            rows.append(strip)
        return rows

    def _head(self, columns: Sequence[Column], room: int, width: int, look: Look) -> Strip:
        parts: list[Part] = []
        self._titles = []
        at = 0
        titles = [("name", "name", room), *((c.name, c.title, c.width) for c in columns)]
        for name, title, size in titles:
            sorted_by = name == self.names.sort
            sign = look.glyphs.sorted_up if self.names.reverse else look.glyphs.sorted_down
            shown = f"{sign}{title}" if sorted_by else title
            style = look.style("primary", bold=True) if sorted_by else look.style("dim")
            # Over durations the title ends where the numbers do, left of their unit.
            padded = shown.ljust(size) if name == "name" else shown.rjust(size)
            parts.append((padded, style))
            self._titles.append((range(at, at + size), name))
            at += size
        if width > at:
            parts.append(("  trend", look.style("dim")))
        return line(parts, width)

    # Moving about

    def action_move(self, by: int) -> None:
        self._cursor = max(0, min(self._cursor + by, len(self._ordered) - 1))
        self._place()

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 2))

    def action_sort(self) -> None:
        """The next of the columns that are shown."""
        shown = [column.name for column in self.names.columns(self.size.width)]
        order = [*shown, "name"]
        sort = self.names.sort
        place = order.index(sort) if sort in order else -1
        self.post_message(SortPicked(order[(place + 1) % len(order)], reverse=False))

    def action_reverse(self) -> None:
        self.post_message(SortPicked(self.names.sort, not self.names.reverse))

    def action_open(self) -> None:
        if (row := self.current) and not row.folded:
            self.post_message(RowsWanted(((self.names.attribute, row.name),)))

    def on_mouse_scroll_down(self) -> None:
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-3)

    def on_click(self, click: events.Click) -> None:
        at = click.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
            for hit, name in self._titles:
                if at.x in hit:
                    turned = name == self.names.sort and not self.names.reverse
                    self.post_message(SortPicked(name, turned))
            return
        place = self._top + at.y - 1
        if place < len(self._ordered):
            again = place == self._cursor and click.chain == 2
            self._cursor = place
            self._place()
            if again:
                self.action_open()


def _cells(
    row: NameRow, columns: Sequence[Column], room: int, trend_width: int, look: Look
) -> list[Part]:
    bad = (row.error_share or 0) >= ALL_RED
    role = "dim" if row.folded else "error" if bad else "text"
    shown = row.name if row.folded else value_name(row.name)
    parts: list[Part] = [
        (fit(shown, room, ellipsis=look.glyphs.ellipsis), look.style(role, bold=bad))
    ]
    for column in columns:
        parts += column.cell(row, look)
    if trend_width:
        strip = trend(row.trend, trend_width, look, "error" if bad else "muted")
        parts += [
            ("  ", look.style("dim")),
            *((s.text, s.style or look.style("dim")) for s in strip),
        ]
    return parts
