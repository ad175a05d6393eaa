"""Steps as bars under each other, with what is lost between them: any answer of that shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from store.analytics.shapes import Steps, StepShare
from tui.formatting import count, fit
from tui.messages import StepOpened
from tui.plots.bar import bar
from tui.theme import Look
from tui.told import Told, told_of
from tui.views.sequences import is_few, of_text
from tui.views.steps import (
    Stop,
    interval_text,
    said_of_drop,
    segments,
    share_text,
    stops,
    worst_drop,
)
from tui.widgets.drawn import Drawn
from tui.widgets.lines import PLAIN, Part, cells, line

NUMBER_WIDTH: Final = 3
NAME_WIDTHS: Final = range(8, 33)
NUMBERS: Final = 9
"""The width of a column of numbers."""
# A bar of two rows is darker at its foot, as the stacks of the charts are.
LOWER_STRENGTH: Final = 0.72
# From so many columns on there is room for the interval.
WIDE: Final = 96


@dataclass(frozen=True, slots=True)
class Layout:
    """How many rows a step has, and whether what is lost stands on a row of its own."""

    thick: int
    apart: bool

    def rows(self, steps: int) -> int:
        """With the titles."""
        return 1 + steps * self.thick + (steps - 1 if self.apart else 0)


LAYOUTS: Final = (Layout(2, apart=True), Layout(1, apart=True), Layout(1, apart=False))


def layout_for(steps: int, height: int) -> Layout:
    """The roomiest that fits; the tightest scrolls."""
    return next((each for each in LAYOUTS if each.rows(steps) <= height), LAYOUTS[-1])


def _count(found: Steps | None) -> int:
    return len(found.steps) if found else 0


def _numbers_of(step: StepShare) -> dict[str, object]:
    low, high = step.likely
    names = ("count", "conversion", "conversion_from_previous", "drop_off", "still_possible")
    numbers = {name: getattr(step, name) for name in (*names, "median_seconds", "mean_seconds")}
    return {**numbers, "low": low, "high": high}


class StepsPanel(Drawn, can_focus=True):
    """Posts StepOpened for what stands under the cursor."""

    HELP = (
        "Each bar is a share of those who came to the first step; after it, who may still come "
        "and who will not. Between two steps stands what was lost. enter lists who it is: on a "
        "step those who came, on what was lost those who went no further."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "who", tooltip="list who it is", id="steps.open"),
        Binding("down,j", "move(1)", "down", show=False, system=True, id="steps.down"),
        Binding("up,k", "move(-1)", "up", show=False, system=True, id="steps.up"),
        Binding("home,g", "move(-1000)", "first", show=False, system=True, id="steps.first"),
        Binding("end,G", "move(1000)", "last", show=False, system=True, id="steps.last"),
    ]
    steps: reactive[Steps | None] = reactive(None, repaint=False)
    advice: reactive[Sequence[tuple[str, str]]] = reactive((), repaint=False)
    """What to do where there are no steps, a line each with its role."""
    subjects: reactive[str] = reactive("users", repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._cursor = 0
        self._top = 0
        self._seen: list[Stop | None] = []

    @property
    def stop(self) -> Stop | None:
        """What stands under the cursor."""
        found = stops(self.steps.steps) if self.steps else []
        return found[min(self._cursor, len(found) - 1)] if found else None

    def told(self) -> Told:
        shown = self.steps.steps if self.steps else ()
        return told_of({"step": step.name, **_numbers_of(step)} for step in shown)

    def watch_steps(self, old: Steps | None, new: Steps | None) -> None:
        if _count(old) != _count(new):
            self.refresh(layout=True)
        self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """What the roomiest layout takes."""
        del container, viewport, width
        return LAYOUTS[0].rows(max(1, _count(self.steps)))

    def watch_advice(self) -> None:
        self.redraw()

    def watch_subjects(self) -> None:
        self.redraw()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.redraw()

    # Drawing

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        shown = self.steps.steps if self.steps else ()
        if not shown:
            cut = look.glyphs.ellipsis
            return [line([(t, look.style(role))], width, ellipsis=cut) for t, role in self.advice]
        laid_out = layout_for(len(shown), height)
        rows: list[tuple[Stop | None, Strip]] = []
        for at in range(len(shown)):
            rows += self._step_rows(at, laid_out, width, look)
        self._keep_in_view([stop for stop, _ in rows], height - 1)
        seen = rows[self._top : self._top + height - 1]
        self._seen = [stop for stop, _ in seen]
        return [self._titles(laid_out, width, look), *(strip for _, strip in seen)]

    def _keep_in_view(self, stops_of_rows: Sequence[Stop | None], height: int) -> None:
        places = [place for place, stop in enumerate(stops_of_rows) if stop == self.stop]
        top = max(min(self._top, places[0]), places[-1] - height + 1)
        self._top = max(0, min(top, len(stops_of_rows) - height))

    def _name_width(self, width: int) -> int:
        assert self.steps
        longest = max(cells([(step.name, PLAIN)]) for step in self.steps.steps)
        most = max(NAME_WIDTHS[0], min(NAME_WIDTHS[-1], width // 4))
        return max(NAME_WIDTHS[0], min(longest, most))

    def _titles(self, laid_out: Layout, width: int, look: Look) -> Strip:
        titles = [self.subjects, "of first", *(["lost"] if not laid_out.apart else [])]
        titles += ["95 %"] if width >= WIDE else []
        shown = "".join(fit(title, NUMBERS, right=True) for title in titles)
        return line([], width, [(shown, look.style("dim"))])

    def _step_rows(
        self, at: int, laid_out: Layout, width: int, look: Look
    ) -> list[tuple[Stop | None, Strip]]:
        assert self.steps
        step, here = self.steps.steps[at], Stop(at)
        names = self._name_width(width)
        rows: list[tuple[Stop | None, Strip]] = []
        if at and laid_out.apart:
            lost = Stop(at, gone=True)
            rows.append((lost, self._selected(lost, self._drop(at, names, width, look), look)))
        end = self._numbers(step, width, look)
        if not laid_out.apart and at:
            end[2:2] = [self._lost(at, NUMBERS, look)]
        names = max(1, min(names, width - NUMBER_WIDTH - 1 - cells(end)))
        room = max(0, width - NUMBER_WIDTH - names - 1 - cells(end))
        chosen = self.stop == here and self.has_focus
        head = self._head(f"{at + 1:>2} ", step.name, names, look, chosen=chosen)
        for row in range(laid_out.thick):
            strength = 1.0 if not row else LOWER_STRENGTH
            drawn = bar(segments(self.steps.steps, at), room, look, strength=strength)
            before = head if not row else [(" " * (NUMBER_WIDTH + names + 1), PLAIN)]
            parts = [*before, *((part.text, part.style or PLAIN) for part in drawn)]
            beside = end if not row else [(" " * cells(end), PLAIN)]
            strip = line(parts, width, beside, ellipsis=look.glyphs.ellipsis)
            rows.append((here, self._selected(here, strip, look)))
        return rows

    def _head(self, number: str, name: str, width: int, look: Look, *, chosen: bool) -> list[Part]:
        style = look.style("bright", bold=True)
        if chosen and look.colour != "full":
            # The whole row reversed would turn the bar inside out.
            style = Style(reverse=True, bold=True)
        shown = fit(name, width, ellipsis=look.glyphs.ellipsis)
        return [(number, look.style("dim")), (shown, style), (" ", PLAIN)]

    def _numbers(self, step: StepShare, width: int, look: Look) -> list[Part]:
        parts = [
            (count(step.count).rjust(NUMBERS), look.style("bright", bold=True)),
            (
                self._share(step.count, self._first, step.conversion).rjust(NUMBERS),
                look.style("text"),
            ),
        ]
        if width >= WIDE:
            parts.append((interval_text(step).rjust(NUMBERS), look.style("dim")))
        return parts

    @property
    def _first(self) -> int:
        return self.steps.steps[0].count if self.steps else 0

    def _share(self, part: int, whole: int, share: float) -> str:
        """Of few people how many of them, instead."""
        assert self.steps
        return of_text(part, whole) if is_few(self.steps.steps) else share_text(share)

    def _lost(self, at: int, width: int, look: Look) -> Part:
        """How much is lost before a step; the worst of all in the colour of what is bad."""
        assert self.steps
        step = self.steps.steps[at]
        if not step.drop_off:
            return (look.glyphs.nothing.rjust(width), look.style("faint"))
        worst = at == worst_drop(self.steps.steps)
        lost = self._share(step.drop_off, step.of, step.drop_off / step.of)
        shown = f"{look.glyphs.down} {lost}"
        return (shown.rjust(width), look.style("bad" if worst else "warning", bold=worst))

    def _drop(self, at: int, names: int, width: int, look: Look) -> Strip:
        assert self.steps
        step = self.steps.steps[at]
        text, style = self._lost(at, 0, look)
        if self.stop == Stop(at, gone=True) and self.has_focus and look.colour != "full":
            style = Style(reverse=True, bold=True)
        parts: list[Part] = [(" " * NUMBER_WIDTH, PLAIN), (text, style)]
        parts.append((" " * max(1, NUMBER_WIDTH + names + 1 - cells(parts)), PLAIN))
        went = self._share(step.count, step.of, step.conversion_from_previous)
        after = [(" " * NUMBERS, PLAIN)] if width >= WIDE else []
        end: list[Part] = [(went, look.style("text")), (" went on", look.style("dim")), *after]
        for number, words, role in said_of_drop(step, self.subjects):
            more = [(number, look.style(role)), (f"{words}   ", look.style("dim"))]
            if cells([*parts, *more, *end]) <= width:
                parts += more
        return line(parts, width, end)

    def _selected(self, stop: Stop, strip: Strip, look: Look) -> Strip:
        chosen = stop == self.stop and self.has_focus and look.colour == "full"
        return look.select(strip) if chosen else strip

    # Moving about

    def action_move(self, by: int) -> None:
        last = len(stops(self.steps.steps)) - 1 if self.steps else 0
        self._cursor = max(0, min(self._cursor + by, last))
        self.redraw()

    def action_open(self) -> None:
        if stop := self.stop:
            self.post_message(StepOpened(stop.step, stop.gone))

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1)

    def on_click(self, click: events.Click) -> None:
        at = click.get_content_offset(self)
        stop = self._seen[at.y - 1] if at and 0 < at.y <= len(self._seen) else None
        if stop is None or self.steps is None:
            return
        self._cursor = stops(self.steps.steps).index(stop)
        self.redraw()
        if click.chain == 2:
            self.action_open()
