"""A chart that can be brushed: with the keyboard from `v`, with the mouse by dragging."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from store.timespan import TimeSpan
from tui.formatting import clock, length
from tui.messages import RowsWanted, SpanPicked
from tui.plots.chart import ChartFrame, Mark, Peak, chart, chart_frame
from tui.plots.hanging import both_ways
from tui.plots.lines import Curve, lines
from tui.plots.stack import Layer, stack
from tui.theme import Look, look_of
from tui.told import Told, told_of
from tui.widgets.drawn import Drawn

Legend = Sequence[tuple[str, str, str]]
"""Sign, word and role of each entry."""
_BRUSH_ACTIONS: Final = frozenset(
    {"brush_move", "brush_swap", "brush_zoom", "brush_rows", "brush_leave"}
)


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart panel shows: layers stacked on each other, or curves; one of the two."""

    title: str
    span: TimeSpan
    top: float
    layers: Sequence[Layer] = ()
    below: Sequence[Layer] = ()
    """Layers that hang from the base, down to `bottom`; only with some that stand on it."""
    bottom: float = 0.0
    curves: Sequence[Curve] = ()
    marks: Sequence[Mark] = ()
    peaks: Sequence[Peak] = ()
    legend: Legend = ()
    steps: int = 0
    """How many values there are over the span."""
    zone: tzinfo = UTC


@dataclass(slots=True)
class Brush:
    """Two columns of the plot, counted from its left edge; the head is the one that moves."""

    anchor: int
    head: int

    def columns(self) -> tuple[int, int]:
        """From the first up to, but without, the last."""
        return min(self.anchor, self.head), max(self.anchor, self.head) + 1


class ChartPanel(Drawn, can_focus=True):
    """Posts SpanPicked for a brushed stretch, or RowsWanted for the events inside it."""

    HELP = (
        "v starts a brush: arrows move its end, o takes the other one, enter looks at that time "
        "on every screen, r at the events inside. Dragging with the mouse does the same."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "brush", "brush", id="chart.brush"),
        Binding("left,h", "brush_move(-1)", "move", show=False, system=True, id="chart.left"),
        Binding("right,l", "brush_move(1)", "move", show=False, system=True, id="chart.right"),
        Binding(
            "shift+left", "brush_move(-8)", "move far", show=False, system=True, id="chart.far_left"
        ),
        Binding(
            "shift+right",
            "brush_move(8)",
            "move far",
            show=False,
            system=True,
            id="chart.far_right",
        ),
        Binding("o", "brush_swap", "other end", id="chart.swap"),
        Binding("enter", "brush_zoom", "zoom", id="chart.zoom"),
        Binding("r", "brush_rows", "rows inside", id="chart.rows"),
        Binding("escape", "brush_leave", "leave", id="chart.leave"),
    ]
    picture: reactive[Chart | None] = reactive(None, repaint=False)
    brush: reactive[Brush | None] = reactive(None, repaint=False, bindings=True)

    def watch_picture(self, old: Chart | None, new: Chart | None) -> None:
        if new and (old is None or old.title != new.title):
            self.border_title = new.title
        if new and (old is None or old.legend != new.legend):
            self._say_legend()
        if old != new:
            self.redraw()

    def watch_brush(self) -> None:
        self._say_legend()
        self.redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self._say_legend()

    def told(self) -> Told | None:
        """A row a point in time, a column a series by its word in the legend."""
        picture = self.picture
        if picture is None:
            return None
        words = {role: word for _, word, role in picture.legend}
        series: list[Layer | Curve] = [*picture.layers, *picture.curves]
        named = [(words.get(each.role, each.role), each.values) for each in series]
        points = max((len(values) for _, values in named), default=0)
        width = picture.span.length / max(1, points)
        return told_of(
            {
                "time": picture.span.start + at * width,
                **{name: values[at] for name, values in named if at < len(values)},
            }
            for at in range(points)
        )

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        picture = self.picture
        if picture is None:
            return []

        def body(columns: int, rows: int) -> list[Strip]:
            if picture.curves:
                return lines(picture.curves, columns, rows, picture.top, look)
            if picture.below:
                return both_ways(
                    (picture.layers, picture.top),
                    (picture.below, picture.bottom),
                    columns,
                    rows,
                    look,
                )
            return stack(picture.layers, columns, rows, picture.top, look)

        return chart(
            body,
            span=picture.span,
            top=picture.top,
            width=width,
            height=height,
            look=look,
            zone=picture.zone,
            marks=picture.marks,
            peaks=picture.peaks,
            brush=self.brushed(),
            bottom=picture.bottom,
        )

    # The brush

    def brushed(self) -> TimeSpan | None:
        """The span under the brush; None without one."""
        if self.brush is None or self.picture is None:
            return None
        frame = self._frame()
        first, last = self.brush.columns()
        return TimeSpan(frame.instant(frame.left + first), frame.instant(frame.left + last))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action in _BRUSH_ACTIONS:
            return self.brush is not None
        return action != "brush" or (self.brush is None and self.picture is not None)

    def action_brush(self) -> None:
        """Starts with a tenth of the chart at its right end."""
        width = self._frame().width
        self.brush = Brush(max(0, width - 1 - width // 10), max(0, width - 1))

    def action_brush_move(self, by: int) -> None:
        assert self.brush
        head = min(max(self.brush.head + by, 0), max(0, self._frame().width - 1))
        self.brush = Brush(self.brush.anchor, head)

    def action_brush_swap(self) -> None:
        assert self.brush
        self.brush = Brush(self.brush.head, self.brush.anchor)

    def action_brush_zoom(self) -> None:
        if span := self.brushed():
            self.brush = None
            self.post_message(SpanPicked(span))

    def action_brush_rows(self) -> None:
        if span := self.brushed():
            self.brush = None
            self.post_message(RowsWanted(span=span))

    def action_brush_leave(self) -> None:
        self.brush = None

    def on_mouse_down(self, down: events.MouseDown) -> None:
        column = self._column(down)
        if column is not None and down.button == 1:
            self.capture_mouse()
            self.brush = Brush(column, column)

    def on_mouse_move(self, move: events.MouseMove) -> None:
        if self.app.mouse_captured is self and self.brush:
            column = self._column(move, clamped=True)
            if column is not None and column != self.brush.head:
                self.brush = Brush(self.brush.anchor, column)

    def on_mouse_up(self) -> None:
        if self.app.mouse_captured is not self:
            return
        self.release_mouse()
        if self.brush and self.brush.anchor != self.brush.head:
            self.action_brush_zoom()
        else:
            self.brush = None

    def _column(self, mouse: events.MouseEvent, *, clamped: bool = False) -> int | None:
        at = mouse.get_content_offset_capture(self) if clamped else mouse.get_content_offset(self)
        if at is None or self.picture is None:
            return None
        frame = self._frame()
        column = at.x - frame.left
        if clamped:
            return min(max(column, 0), max(0, frame.width - 1))
        return column if 0 <= column < frame.width else None

    def _frame(self) -> ChartFrame:
        assert self.picture
        return chart_frame(self.picture.span, self.size.width, self.size.height)

    def _say_legend(self) -> None:
        """The legend stands in the border; while brushing, the brushed span does."""
        picture, span = self.picture, self.brushed()
        if picture is None:
            return
        look = look_of(self.app)
        if span:
            said = f" {clock(span.start, picture.zone)} - {clock(span.end, picture.zone)} "
            self.border_subtitle = Content.assemble(
                (said, "$role-primary bold"), (f"{length(span.length)} ", "$role-dim")
            )
            return
        entries = [
            (f" {sign} {word} ", f"$role-{role}" if look.colour != "none" else "")
            for sign, word, role in picture.legend
        ]
        self.border_subtitle = Content.assemble(*entries)
