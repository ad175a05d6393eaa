"""A table of millions of rows: it holds the few around what is seen, and asks for what it lacks."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from tui.messages import PageWanted, RowOpened, RowReached, SortPicked
from tui.theme import Look
from tui.told import Told, told_of
from tui.widgets.columns import Column, Row, fitting
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, line, scrollbar

# Rows that are held; those farthest from view go first.
ROWS_HELD_MAX: Final = 2_048
# So many screens of rows are asked for around the one that is seen.
SCREENS_AHEAD: Final = 1


class BigTable(Drawn, can_focus=True):
    """Posts PageWanted for rows that it lacks, RowReached when the cursor comes to a row,
    RowOpened on `enter`, SortPicked for another order. Rows that are not there yet are dotted.

    With the cursor on the first row it follows what is new; anywhere else, rows that come in
    above move nothing that is seen.
    """

    HELP = (
        "On the first row the table follows what comes in; anywhere else it stays where it is. "
        "Click a title to sort by it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="table.open"),
        Binding("s", "sort", "sort", show=False, id="table.sort"),
        Binding("S", "reverse", "reverse the order", show=False, id="table.reverse"),
        Binding("down,j", "move(1)", "down", show=False, id="table.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="table.up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="table.page_down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="table.page_up"),
        Binding("home,g", "first", "first", show=False, id="table.first"),
        Binding("end,G", "last", "last", show=False, id="table.last"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.columns: Sequence[Column] = ()
        self.sort = ""
        self.reverse = False
        self.descending = True
        self.total = 0
        self.cursor = 0
        self.version: object = None
        self.advice: Sequence[str] = ()
        """What stands there when there are no rows."""
        self._top = 0
        self._rows_held: dict[int, Row] = {}
        self._unsure: set[int] = set()
        self._asked: tuple[object, range] | None = None
        self._strips: dict[tuple[int, bool], Strip] = {}
        self._strips_for: object = None
        self._titles: list[tuple[range, Column]] = []

    # Data comes down

    def show(
        self, version: object, total: int, rows: Mapping[int, Row], *, above: int | None = None
    ) -> None:
        """Other rows than before: `total` of them, `rows` of which are here already, by place.

        `above` says that they are those of before with so many new ones on top; None that they
        are others altogether, so that the table begins anew.
        """
        held = {} if above is None else self._rows_held
        shifted = {place + (above or 0): row for place, row in held.items()}
        self._rows_held = shifted | dict(rows)
        # Late events may have come in between: shown for now, but asked for again.
        self._unsure = shifted.keys() - rows.keys()
        if above is None:
            self.cursor = self._top = 0
        elif not self.follows:
            self.cursor += above
            self._top += above
        self.version, self.total, self._asked = version, total, None
        self._strips.clear()
        self.place_cursor(self.cursor)

    def fill(self, version: object, rows: Mapping[int, Row]) -> None:
        """Rows that were wanted; those of an older `version` are no longer of use."""
        if version != self.version:
            return
        self._rows_held |= rows
        self._unsure -= rows.keys()
        self._forget_far_rows()
        self._strips.clear()
        if self.cursor in rows:
            self.post_message(RowReached(self.cursor, rows[self.cursor]))
        self.redraw()

    @property
    def follows(self) -> bool:
        """True while new rows on top are shown as they come."""
        return self.cursor == 0 and self._top == 0

    @property
    def seen(self) -> range:
        """The places of the rows that are shown."""
        return range(self._top, min(self._top + self.rows_seen, self.total))

    @property
    def rows_seen(self) -> int:
        return max(1, self.size.height - 1)

    def told(self) -> Told:
        """The rows that are here; of millions those around what is seen."""
        rows = [self._rows_held[place] for place in sorted(self._rows_held) if place < self.total]
        return told_of(rows, self.total)

    def row(self, place: int) -> Row | None:
        """The row at a place, if it is here."""
        return self._rows_held.get(place)

    def _forget_far_rows(self) -> None:
        if len(self._rows_held) > ROWS_HELD_MAX:
            near = sorted(self._rows_held, key=lambda place: abs(place - self._top))
            self._rows_held = {p: self._rows_held[p] for p in near[: ROWS_HELD_MAX // 2]}

    def _want_missing(self) -> None:
        ahead = self.rows_seen * SCREENS_AHEAD
        around = range(max(0, self._top - ahead), min(self.total, self.seen.stop + ahead))
        held = self._rows_held.keys() - self._unsure
        if held.issuperset(self.seen):
            return
        if self._asked and self._asked[0] == self.version and set(self.seen) <= set(self._asked[1]):
            return
        missing = [place for place in around if place not in held]
        wanted = range(missing[0], missing[-1] + 1)
        self._asked = (self.version, wanted)
        self.post_message(PageWanted(self.version, wanted))

    # Drawing

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        room = width - 2
        fitted = fitting(self.columns, room)
        drawn_for = (width, look, tuple(self.columns))
        if drawn_for != self._strips_for:
            self._strips.clear()
            self._strips_for = drawn_for
        bar = scrollbar(self._top, height - 1, self.total, look)
        rows = [self._head(fitted, width, look)]
        if not self.total:
            return [*rows, *(line([(text, look.style("dim"))], width) for text in self.advice)]
        for place, scroll in zip(self.seen, bar, strict=False):
            strip = self._strip(place, fitted, room, look)
            rows.append(Strip.join([strip, line([(" ", look.style("dim")), scroll], 2)]))
        return rows

    def _strip(
        self, place: int, fitted: Sequence[tuple[Column, int]], room: int, look: Look
    ) -> Strip:
        selected = place == self.cursor
        kept = self._strips.get((place, selected))
        if kept is not None:
            return kept
        row = self._rows_held.get(place)
        if row is None:
            return line([(look.glyphs.nothing * 3, look.style("faint"))], room)
        parts: list[Part] = []
        for column, width in fitted:
            parts += [*column.cell(row, width, look), (" " * column.gap, look.style("text"))]
        strip = line(parts[:-1], room)
        strip = look.select(strip) if selected else strip
        self._strips[(place, selected)] = strip
        return strip

    def _head(self, fitted: Sequence[tuple[Column, int]], width: int, look: Look) -> Strip:
        parts: list[Part] = []
        self._titles = []
        at = 0
        for column, size in fitted:
            is_key = column.name == self.sort
            sign = look.glyphs.sorted_down if self.descending else look.glyphs.sorted_up
            title = f"{sign}{column.title}" if is_key else column.title
            style = look.style("primary", bold=True) if is_key else look.style("dim")
            # A title may lean over into the gap on its left; a number's is as wide as it is.
            shown = title.rjust(size) if column.right else title.ljust(size)
            parts += [(shown[:size], style), (" " * column.gap, style)]
            self._titles.append((range(at, at + size), column))
            at += size + column.gap
        return line(parts[:-1], width)

    # Moving about

    def place_cursor(self, place: int) -> None:
        """Puts the cursor on a row, scrolled into view, and says so."""
        self.cursor = max(0, min(place, self.total - 1))
        top = max(min(self._top, self.cursor), self.cursor - self.rows_seen + 1)
        self._scroll(top)
        if (row := self._rows_held.get(self.cursor)) is not None:
            self.post_message(RowReached(self.cursor, row))

    def _scroll(self, top: int) -> None:
        self._top = max(0, min(top, self.total - self.rows_seen))
        self._want_missing()
        self.redraw()

    def on_resize(self) -> None:
        self.place_cursor(self.cursor)

    def action_move(self, by: int) -> None:
        self.place_cursor(self.cursor + by)

    def action_page(self, by: int) -> None:
        step = by * max(1, self.rows_seen - 1)
        self._top = max(0, min(self._top + step, self.total - self.rows_seen))
        self.place_cursor(self.cursor + step)

    def action_first(self) -> None:
        self.place_cursor(0)

    def action_last(self) -> None:
        self.place_cursor(self.total - 1)

    def action_open(self) -> None:
        if (row := self._rows_held.get(self.cursor)) is not None:
            self.post_message(RowOpened(self.cursor, row))

    def action_sort(self) -> None:
        """By the next of the columns that are shown."""
        shown = [c.name for c, _ in fitting(self.columns, self.size.width - 2) if c.sortable]
        place = shown.index(self.sort) if self.sort in shown else -1
        if shown:
            self.post_message(SortPicked(shown[(place + 1) % len(shown)], reverse=False))

    def action_reverse(self) -> None:
        self.post_message(SortPicked(self.sort, not self.reverse))

    def on_mouse_scroll_down(self) -> None:
        self._wheel(3)

    def on_mouse_scroll_up(self) -> None:
        self._wheel(-3)

    def _wheel(self, by: int) -> None:
        """The wheel moves the view; the cursor comes along when it would be left behind."""
        self._top = max(0, min(self._top + by, self.total - self.rows_seen))
        self.place_cursor(max(self._top, min(self.cursor, self._top + self.rows_seen - 1)))

    def on_click(self, click: events.Click) -> None:
        at = click.get_content_offset(self)
        if at is None:
            return
        if at.y == 0:
            self._click_title(at.x)
        elif at.x == self.size.width - 1:
            share = (at.y - 1) / max(1, self.rows_seen - 1)
            self.place_cursor(round(share * (self.total - 1)))
        elif self._top + at.y - 1 < self.total:
            again = self._top + at.y - 1 == self.cursor and click.chain == 2
            self.place_cursor(self._top + at.y - 1)
            if again:
                self.action_open()

    def _click_title(self, x: int) -> None:
        for hit, column in self._titles:
            if x in hit and column.sortable:
                turned = column.name == self.sort and not self.reverse
                self.post_message(SortPicked(column.name, turned))
