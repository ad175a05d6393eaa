"""What changed: the few findings that matter, each with since when and what explains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import fit
from tui.messages import RowsWanted
from tui.plots.scale import Value
from tui.plots.trend import trend
from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, blank, cells, line

TREND_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class Detail:
    """An attribute that explains a finding, and how much of it."""

    attribute: str
    value: str
    share: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was; all text but names and values is ready to be read."""

    subject: str
    change: str
    """Sign and size: `▲ ×9.1`, `✦ new`."""
    when: str
    role: str
    trend: Sequence[Value] = ()
    details: Sequence[Detail] = ()
    terms: tuple[tuple[str, str], ...] = ()
    """The attributes and values that its events have."""


class FindingsPanel(Drawn, can_focus=True):
    """Posts RowsWanted for the finding under the cursor."""

    HELP = (
        "What is new, gone, more, fewer, slower or failing, against the span before, and the "
        "attributes that its events have in common. enter shows the events."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", tooltip="look at its events", id="findings.open"),
        Binding("down,j", "move(1)", "next", show=False, system=True, id="findings.down"),
        Binding("up,k", "move(-1)", "previous", show=False, system=True, id="findings.up"),
    ]
    findings: reactive[tuple[Finding, ...] | None] = reactive(None, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._cursor = 0
        self._rows_of: list[int] = []

    def watch_findings(self) -> None:
        self._cursor = min(self._cursor, max(0, len(self.findings or ()) - 1))
        self.redraw()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        if self.findings is None:
            return []
        if not self.findings:
            return [line([("nothing that stands out", look.style("dim"))], width)]
        rows: list[Strip] = []
        self._rows_of = []
        first = self._first_shown(height)
        for place, finding in enumerate(self.findings[first:], first):
            drawn = _drawn(finding, width, look)
            gap = [blank(width)] if rows else []
            if rows and len(rows) + len(gap) + 2 > height:
                break  # no head without at least a detail
            if place == self._cursor and self.has_focus:
                drawn = [look.select(drawn[0]), *drawn[1:]]
            self._rows_of += [place] * (len(gap) + len(drawn))
            rows += gap + drawn
        return rows

    def _first_shown(self, height: int) -> int:
        """The first finding from which the one under the cursor is seen."""
        assert self.findings
        first, used = self._cursor, 0
        while first >= 0:
            used += len(self.findings[first].details) + 2
            if used > height + 1 and first < self._cursor:
                return first + 1
            first -= 1
        return 0

    def action_move(self, by: int) -> None:
        self._cursor = max(0, min(self._cursor + by, len(self.findings or ()) - 1))
        self.redraw()

    def action_open(self) -> None:
        if self.findings:
            self.post_message(RowsWanted(self.findings[self._cursor].terms))

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1)

    def on_click(self, click: events.Click) -> None:
        at = click.get_content_offset(self)
        if at is not None and at.y < len(self._rows_of):
            self._cursor = self._rows_of[at.y]
            self.redraw()
            if click.chain == 2:
                self.action_open()


def _drawn(finding: Finding, width: int, look: Look) -> list[Strip]:
    """The head and its details, under one bar; the trend gives way to the name."""
    bar: Part = (look.glyphs.bar, look.style(finding.role))
    ellipsis = look.glyphs.ellipsis
    end = [(f" {finding.when}", look.style("dim"))] if finding.when else []
    change: list[Part] = [(f"  {finding.change} ", look.style(finding.role, bold=True))]
    room = width - 1 - cells(change) - cells(end)
    subject = fit(finding.subject, max(6, min(room, len(finding.subject) * 2)), ellipsis=ellipsis)
    subject = subject.rstrip()
    strong = (subject, look.style("bright", bold=True))
    if finding.trend and cells([strong]) + TREND_WIDTH + 1 <= room:
        drawn = trend(finding.trend, TREND_WIDTH, look, finding.role)
        change += [(" ", bar[1]), *((s.text, s.style or bar[1]) for s in drawn)]
    head = line([bar, strong, *change], width, end, ellipsis=ellipsis)
    return [head, *(_detail(detail, bar, width, look) for detail in finding.details)]


def _detail(detail: Detail, bar: Part, width: int, look: Look) -> Strip:
    end: list[Part] = [(f" {detail.share}", look.style("text"))]
    ellipsis = look.glyphs.ellipsis
    shown = min(len(detail.attribute), width // 2)
    attribute = fit(detail.attribute, shown, ellipsis=ellipsis).rstrip()
    room = width - 4 - cells([(attribute, bar[1])]) - cells(end)
    return line(
        [
            bar,
            (f"  {attribute} ", look.style("dim")),
            (fit(detail.value, max(1, room), ellipsis=ellipsis).rstrip(), look.style("text")),
        ],
        width,
        end,
    )
