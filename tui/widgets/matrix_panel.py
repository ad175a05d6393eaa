"""A matrix with a number in each cell and a cursor on one of them: any answer of that shape."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import count, fit
from tui.messages import CellOpened
from tui.plots.heat import CELLS, Cell, Tile, largest
from tui.theme import Look
from tui.told import Told, told_of
from tui.views.matrix import Matrix, MatrixRow, lines_of, nobody, said_of, share_of
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, line

NAMES: Final = range(12, 25)
SIZE: Final = 9
GAP: Final = 2


class MatrixPanel(Drawn, can_focus=True):
    """Posts CellOpened on `enter`. Where there is room a row is two high, the count below the
    share.
    """

    HELP = (
        "A row is those who began in one period, a column how long after it they came back; the "
        "stronger the ground, the larger the share. A share that is followed by an ellipsis is "
        "of a period that is not over, and outside the line of all. enter lists who it is; n in the "
        "list shows those who were not."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "who", tooltip="list who came back", id="matrix.open"),
        Binding("down,j", "move(1,0)", "down", show=False, system=True, id="matrix.down"),
        Binding("up,k", "move(-1,0)", "up", show=False, system=True, id="matrix.up"),
        Binding("right", "move(0,1)", "right", show=False, system=True, id="matrix.right"),
        Binding("left", "move(0,-1)", "left", show=False, system=True, id="matrix.left"),
        Binding("pagedown", "move(8,0)", "page down", show=False, system=True, id="matrix.later"),
        Binding("pageup", "move(-8,0)", "page up", show=False, system=True, id="matrix.earlier"),
        Binding("home", "move(-9999,-9999)", "first", show=False, system=True, id="matrix.first"),
        Binding("end", "move(9999,0)", "last", show=False, system=True, id="matrix.last"),
    ]
    matrix: reactive[Matrix] = reactive(Matrix(), repaint=False)
    advice: reactive[Sequence[tuple[str, str]]] = reactive((), repaint=False)
    """What to do where there is nobody, a line each with its role."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._row = 0
        self._column = 0
        self._top = 0
        self._left = 0
        self._thick = 1
        self._cell = CELLS[0]
        self._names = NAMES[0]

    def watch_matrix(self) -> None:
        self._moved()

    def watch_advice(self) -> None:
        self.redraw()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.redraw()

    def on_resize(self) -> None:
        self._moved()

    @property
    def rows(self) -> list[MatrixRow]:
        return list(lines_of(self.matrix))

    @property
    def cell(self) -> Cell | None:
        """What is under the cursor."""
        rows = self.rows
        cells = rows[self._row].cells if rows else ()
        return cells[self._column] if self._column < len(cells) else None

    def told(self) -> Told:
        """A row a cohort: its size, and the share of each period after."""
        return told_of(
            {
                self.matrix.names: row.name,
                self.matrix.sizes: row.size,
                **{
                    title: cell and cell.share
                    for title, cell in zip(self.matrix.titles, row.cells, strict=False)
                },
            }
            for row in self.rows
        )

    # Drawing

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        if nobody(self.matrix):
            return [line([(text, look.style(role))], width) for text, role in self.advice]
        self._lay_out(width, height)
        rows = self.rows
        pinned = 1 if self.matrix.total else 0
        seen = rows[pinned + self._top :][: max(0, (height - 1) // self._thick - pinned)]
        columns = range(self._left, self._left + self._columns_seen(width))
        top = largest([row.cells for row in rows[pinned:]]) or largest([r.cells for r in rows])
        strips = [self._titles(columns, width, look)]
        for place, row in [*enumerate(rows[:pinned]), *enumerate(seen, pinned + self._top)]:
            strips += self._strips(row, place, columns, top, width, look)
        return strips

    def _lay_out(self, width: int, height: int) -> None:
        longest = max(len(row.name) for row in self.rows)
        self._names = max(NAMES[0], min(longest, NAMES[-1], width // 4))
        self._thick = 2 if 1 + 2 * len(self.rows) <= height else 1
        room = (width - self._names - SIZE - GAP) // max(1, len(self.matrix.titles))
        self._cell = max(CELLS[0], min(CELLS[-1], room))

    def _columns_seen(self, width: int) -> int:
        return max(1, (width - self._names - SIZE - GAP) // self._cell)

    def _titles(self, columns: range, width: int, look: Look) -> Strip:
        dim = look.style("dim")
        shown = [self.matrix.titles[at] for at in columns if at < len(self.matrix.titles)]
        names = fit(self.matrix.names, self._names, ellipsis=look.glyphs.ellipsis)
        parts: list[Part] = [(names, dim), (self.matrix.sizes.rjust(SIZE), dim), (" " * GAP, dim)]
        parts += [(fit(title, self._cell - 2, right=True) + "  ", dim) for title in shown]
        return line(parts, width)

    def _strips(
        self, row: MatrixRow, place: int, columns: range, top: float, width: int, look: Look
    ) -> list[Strip]:
        is_total = row is self.matrix.total
        name = fit(row.name, self._names, ellipsis=look.glyphs.ellipsis)
        size = count(row.size) if row.size else look.glyphs.nothing
        size += " " if row.is_over else look.glyphs.ellipsis
        head: list[Part] = [
            (name, look.style("bright" if is_total else "text", bold=is_total)),
            (f"{size:>{SIZE}}", look.style("bright" if row.size else "faint", bold=row.size > 0)),
            (" " * GAP, look.style("dim")),
        ]
        blank: list[Part] = [(" " * (self._names + SIZE + GAP), look.style("dim"))]
        upper, lower = list(head), list(blank)
        for at in columns:
            cell = row.cells[at] if at < len(row.cells) else None
            chosen = self.has_focus and (place, at) == (self._row, self._column)
            tile = Tile(self._cell, top, look, chosen=chosen)
            upper += tile.parts(cell, _share(cell, look))
            lower += tile.parts(cell, _count(cell))
        return [line(parts, width) for parts in (upper, lower)[: self._thick]]

    # Moving about

    def _moved(self) -> None:
        """Keeps the cursor on a cell that there is, in view, and says what it is."""
        rows = self.rows
        if not rows:
            return
        self._row = max(0, min(self._row, len(rows) - 1))
        self._column = max(0, min(self._column, len(self.matrix.titles) - 1))
        width, height = self.size
        if width and height:
            self._lay_out(width, height)
            pinned = 1 if self.matrix.total else 0
            self._top = _scrolled(
                self._top, self._row - pinned, max(1, (height - 1) // self._thick - pinned)
            )
            self._left = _scrolled(self._left, self._column, self._columns_seen(width))
        self.border_subtitle = self._said()
        self.redraw()

    def _said(self) -> str:
        cell = self.cell
        if cell is None or nobody(self.matrix):
            return ""
        return f" {said_of(self.rows[self._row], self.matrix.titles[self._column], cell)} "

    def action_move(self, down: int, right: int) -> None:
        self._row += down
        self._column += right
        self._moved()

    def action_open(self) -> None:
        spans = self.rows[self._row].spans if self.cell else ()
        if spans:
            k = self._column + 1
            self.post_message(CellOpened(spans[0], spans[k], k))

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1, 0)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1, 0)

    def on_click(self, click: events.Click) -> None:
        at = click.get_content_offset(self)
        if at is None or at.y < 1:
            return
        shown = (at.y - 1) // self._thick
        pinned = 1 if self.matrix.total else 0
        place = shown if shown < pinned else shown + self._top
        column = (at.x - self._names - SIZE - GAP) // self._cell + self._left
        again = (place, column) == (self._row, self._column) and click.chain == 2
        self._row, self._column = place, column
        self._moved()
        if again:
            self.action_open()


def _scrolled(first: int, wanted: int, seen: int) -> int:
    return max(0, min(first, wanted), wanted - seen + 1) if wanted >= 0 else first


def _share(cell: Cell | None, look: Look) -> str:
    if cell is None:
        return ""
    return share_of(cell) if cell.count else look.glyphs.nothing


def _count(cell: Cell | None) -> str:
    return count(cell.count) if cell and cell.count else ""
