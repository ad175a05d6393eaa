"""The pane that shows everything of one event; its values can be chosen."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from tui.formatting import clean
from tui.messages import ValueOpened
from tui.theme import Look
from tui.views.event_detail import DetailLine, detail_lines
from tui.widgets.drawn import Drawn
from tui.widgets.lines import line


class EventDetail(Drawn, can_focus=True):
    """Posts ValueOpened on `enter`."""

    HELP = (
        "Everything that is stored of the event. Enter on a value: only events with it, events "
        "without it, or a breakdown by it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "with this value", id="detail.open"),
        Binding("down,j", "move(1)", "down", show=False, id="detail.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="detail.up"),
        Binding("pagedown", "scroll_by(1)", "page down", show=False, id="detail.page_down"),
        Binding("pageup", "scroll_by(-1)", "page up", show=False, id="detail.page_up"),
        Binding("home,g", "move(-100000)", "first", show=False, id="detail.first"),
        Binding("end,G", "move(100000)", "last", show=False, id="detail.last"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.event: Mapping[str, Any] | None = None
        self._zone: tzinfo = UTC
        self._attribute = ""
        self._top = 0
        self._lines: list[DetailLine] = []
        self._lines_for: object = None

    def show(self, event: Mapping[str, Any] | None, zone: tzinfo) -> None:
        """Another event; the cursor stays on the attribute of the same name."""
        self.event, self._zone, self._lines_for = event, zone, None
        self.border_title = clean(str(event["event_name"])) if event else "event"
        self._top = 0
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        if self.event is None:
            return [line([("no event", look.style("dim"))], width)]
        self._lay_out(width, look)
        self._keep_in_view(height)
        rows = []
        for entry in self._lines[self._top : self._top + height]:
            chosen = self.has_focus and entry.attribute and entry.attribute == self._attribute
            rows.append(look.select(entry.strip) if chosen else entry.strip)
        return rows

    def _lay_out(self, width: int, look: Look) -> None:
        laid_out_for = (width, look)
        if self.event is None or laid_out_for == self._lines_for:
            return
        self._lines = detail_lines(self.event, width, look, self._zone)
        self._lines_for = laid_out_for
        names = self._names()
        if self._attribute not in names:
            self._attribute = names[0] if names else ""

    def _names(self) -> list[str]:
        return list(dict.fromkeys(entry.attribute for entry in self._lines if entry.attribute))

    def _keep_in_view(self, height: int) -> None:
        places = [n for n, entry in enumerate(self._lines) if entry.attribute == self._attribute]
        if places and self.has_focus:
            # Two lines above: the heading of the group is seen with its first attribute.
            self._top = min(self._top, max(0, places[0] - 2))
            self._top = max(self._top, min(places[-1] - height + 1, places[0]))
        self._top = max(0, min(self._top, len(self._lines) - height))

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.redraw()

    def action_move(self, by: int) -> None:
        names = self._names()
        if names:
            place = names.index(self._attribute) if self._attribute in names else 0
            self._attribute = names[max(0, min(place + by, len(names) - 1))]
            self.redraw()

    def action_scroll_by(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 2))

    def action_open(self) -> None:
        chosen = next((e for e in self._lines if e.attribute == self._attribute), None)
        if chosen and chosen.attribute:
            self.post_message(ValueOpened(chosen.attribute, chosen.value))

    def on_mouse_scroll_down(self) -> None:
        self._top += 3
        self._release_cursor()

    def on_mouse_scroll_up(self) -> None:
        self._top -= 3
        self._release_cursor()

    def _release_cursor(self) -> None:
        """The wheel takes the cursor along to what is seen."""
        height = self.size.height
        self._top = max(0, min(self._top, len(self._lines) - height))
        seen = [e.attribute for e in self._lines[self._top : self._top + height] if e.attribute]
        if seen and self._attribute not in seen:
            self._attribute = seen[0]
        self.redraw()

    def on_click(self, click: events.Click) -> None:
        at = click.get_content_offset(self)
        if at is None or self._top + at.y >= len(self._lines):
            return
        entry = self._lines[self._top + at.y]
        if entry.attribute:
            again = entry.attribute == self._attribute and click.chain == 2
            self._attribute = entry.attribute
            self.redraw()
            if again:
                self.action_open()
