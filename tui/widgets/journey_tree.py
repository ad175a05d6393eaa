"""The tree of Journeys: each branch a line, with its share as a bar."""

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import clean, count, duration, fit, percent
from tui.messages import BranchOpened, BranchTurned
from tui.plots.reach import reach
from tui.theme import Look
from tui.views.journeys import Branch, Tree
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, line, scrollbar

INDENT: Final = 2
NAME_WIDTH_MIN: Final = 26
NAME_WIDTH_MAX: Final = 44
BAR_WIDTH_MIN: Final = 10
# Width and title of the numbers, in their order; where there is no room, the last ones go.
NUMBERS: Final = ((7, "share"), (9, "sessions"), (8, "users"), (9, "after"), (9, "of all"))
NUMBERS_MIN: Final = 2


class JourneyTree(Drawn, can_focus=True):
    """Posts BranchTurned to unfold or fold a branch, BranchOpened for the sessions behind it."""

    HELP = (
        "What sessions do next, and what after that. enter or right unfolds a branch, left folds "
        "it; i lists its sessions. The share is of the branch before (its bar in front of that "
        "one's), `of all` of where it starts; `after` is the median time from the one before."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "unfold", tooltip="unfold, or fold, a branch", id="tree.open"),
        Binding("right,l", "unfold", "unfold", show=False, id="tree.unfold"),
        Binding("left,h", "fold", "fold", show=False, id="tree.fold"),
        Binding("i", "sessions", "sessions", tooltip="the sessions behind it", id="tree.sessions"),
        Binding("down,j", "move(1)", "down", show=False, system=True, id="tree.down"),
        Binding("up,k", "move(-1)", "up", show=False, system=True, id="tree.up"),
        Binding("pagedown", "page(1)", "page down", show=False, system=True, id="tree.page_down"),
        Binding("pageup", "page(-1)", "page up", show=False, system=True, id="tree.page_up"),
        Binding("home,g", "move(-100000)", "first", show=False, system=True, id="tree.first"),
        Binding("end,G", "move(100000)", "last", show=False, system=True, id="tree.last"),
    ]
    tree_shown: reactive[Tree] = reactive(Tree(), repaint=False)
    advice: reactive[Sequence[str]] = reactive((), repaint=False)
    """What stands there when there is no branch."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._cursor = 0
        self._top = 0

    def watch_tree_shown(self, old: Tree, new: Tree) -> None:
        under = old.branches[self._cursor].way if self._cursor < len(old.branches) else ()
        places = {branch.way: place for place, branch in enumerate(new.branches)}
        # The cursor stays on its branch; where that is folded away, on what it was folded into.
        while under and under not in places:
            under = under[:-1]
        self._cursor = places.get(under, 0)
        self._place()

    def watch_advice(self) -> None:
        self.redraw()

    @property
    def current(self) -> Branch | None:
        """The branch under the cursor."""
        branches = self.tree_shown.branches
        return branches[self._cursor] if self._cursor < len(branches) else None

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.redraw()

    def on_resize(self) -> None:
        self._place()

    def _place(self) -> None:
        """Scrolls so that the cursor is seen, and says of its branch what has no column."""
        rows, total = max(1, self.size.height - 1), len(self.tree_shown.branches)
        self._top = max(min(self._top, self._cursor), self._cursor - rows + 1, 0)
        self._top = max(0, min(self._top, total - rows))
        self.border_subtitle = _told(self.current, self.tree_shown) if self.current else ""
        self.redraw()

    @property
    def _is_longer(self) -> bool:
        """Whether it has more branches than are seen, and so a scroll bar."""
        return len(self.tree_shown.branches) > self.size.height - 1

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        if not self.tree_shown.branches:
            return [line([(text, look.style("dim"))], width) for text in self.advice]
        branches = self.tree_shown.branches
        room = width - 2 * self._is_longer
        shown = _Widths(room)
        rows = [line(shown.head(look), width)]
        bar = scrollbar(self._top, height - 1, len(branches), look)
        for place, (branch, scroll) in enumerate(
            zip(branches[self._top :], bar, strict=False), self._top
        ):
            strip = line(shown.parts(branch, self.tree_shown, look), room)
            strip = look.select(strip) if place == self._cursor and self.has_focus else strip
            end = [line([(" ", look.style("dim")), scroll], 2)] if self._is_longer else []
            rows.append(Strip.join([strip, *end]))
        return rows

    # Moving about

    def action_move(self, by: int) -> None:
        self._cursor = max(0, min(self._cursor + by, len(self.tree_shown.branches) - 1))
        self._place()

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 2))

    def action_open(self) -> None:
        """What cannot unfold leads to its sessions."""
        branch = self.current
        if branch and branch.kind == "end":
            self.post_message(BranchOpened(branch.way))
        elif branch:
            self.post_message(BranchTurned(branch.way, unfolded=not branch.unfolded))

    def action_unfold(self) -> None:
        """Into the branch: the second time, to the first one below it."""
        branch = self.current
        if branch and branch.unfolded:
            self.action_move(1)
        elif branch and branch.kind in ("name", "other"):
            self.post_message(BranchTurned(branch.way, unfolded=True))

    def action_fold(self) -> None:
        """Out of the branch: the second time, to the one before it."""
        branch = self.current
        if branch is None or not branch.way:
            return
        if branch.unfolded:
            self.post_message(BranchTurned(branch.way, unfolded=False))
            return
        ways = [each.way for each in self.tree_shown.branches]
        self._cursor = ways.index(branch.way[:-1])
        self._place()

    def action_sessions(self) -> None:
        if self.current and self.current.kind != "other":
            self.post_message(BranchOpened(self.current.way))

    def on_mouse_scroll_down(self) -> None:
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-3)

    def on_click(self, click: events.Click) -> None:
        at = click.get_content_offset(self)
        if at is None or not 0 < at.y <= len(self.tree_shown.branches) - self._top:
            return
        if self._is_longer and at.x == self.size.width - 1:
            share = (at.y - 1) / max(1, self.size.height - 2)
            self._cursor = round(share * (len(self.tree_shown.branches) - 1))
            self._place()
            return
        place = self._top + at.y - 1
        again = place == self._cursor
        self._cursor = place
        self._place()
        if again:
            self.action_open()


class _Widths:
    """What stands where, in a width."""

    def __init__(self, width: int) -> None:
        beside = width - NAME_WIDTH_MIN - 1
        self.numbers = [
            number
            for at, number in enumerate(NUMBERS)
            if sum(size for size, _ in NUMBERS[: at + 1])
            <= beside - (BAR_WIDTH_MIN + 1) * (at >= NUMBERS_MIN)
        ]
        taken = sum(size for size, _ in self.numbers)
        self.name = max(1, min(NAME_WIDTH_MAX, max(NAME_WIDTH_MIN, (width - taken) // 2)))
        self.bar = max(0, width - self.name - taken - 1)

    def head(self, look: Look) -> list[Part]:
        dim = look.style("dim")
        parts: list[Part] = [("step".ljust(self.name + 1 + self.bar), dim)]
        parts += [(title.rjust(size), dim) for size, title in self.numbers]
        return parts

    def parts(self, branch: Branch, shown: Tree, look: Look) -> list[Part]:
        """The name with its sign, the bar, the numbers."""
        return [
            *_name(branch, shown, self.name, look),
            (" ", look.style("dim")),
            *_bar(branch, self.bar, look),
            *(part for size, title in self.numbers for part in _number(branch, title, size, look)),
        ]


def _name(branch: Branch, shown: Tree, width: int, look: Look) -> list[Part]:
    glyphs = look.glyphs
    sign = glyphs.unfolded if branch.unfolded else glyphs.folded
    sign = sign if branch.kind in ("start", "name") else " "
    indent = " " * (INDENT * len(branch.way))
    role = {"start": "bright", "name": "text"}.get(branch.kind, "dim")
    text = _called(branch, shown)
    head = f"{indent}{sign} "
    room = max(4, width - cell_len(head))
    return [
        (head[: width - 4], look.style("primary" if branch.unfolded else "dim")),
        (fit(text, room, ellipsis=glyphs.ellipsis), look.style(role, bold=branch.kind == "start")),
    ]


def _called(branch: Branch, shown: Tree) -> str:
    if branch.kind == "name":
        return branch.name
    if branch.kind == "start":
        return shown.start or ("end of the session" if shown.backwards else "start of the session")
    if branch.kind == "end":
        return "began here" if shown.backwards else "ended here"
    return f"{branch.names:,} other names" if branch.names != 1 else "one other name"


def _bar(branch: Branch, width: int, look: Look) -> Sequence[Part]:
    role = {"start": "primary", "name": "info"}.get(branch.kind, "other")
    before = branch.share_before if branch.way else 0.0
    return reach(branch.share_of_all, before, width, look, role)


def _number(branch: Branch, title: str, width: int, look: Look) -> list[Part]:
    dim = look.style("dim")
    if title == "share":
        text = percent(branch.share, digits=1)
        return [(text.rjust(width - 2), look.style("bright", bold=True)), (" %", dim)]
    if title == "of all":
        text = percent(branch.share_of_all, digits=1)
        return [(text.rjust(width - 2), look.style("text")), (" %", dim)]
    if title == "after":
        return _after(branch.median_seconds, width, look)
    number = branch.count if title == "sessions" else branch.users
    text = count(number) if number else look.glyphs.nothing
    return [(text.rjust(width), look.style("text" if number else "faint"))]


def _after(seconds: float | None, width: int, look: Look) -> list[Part]:
    if seconds is None:
        return [(look.glyphs.nothing.rjust(width - 2) + "  ", look.style("faint"))]
    text, unit = duration(seconds * 1000)
    unit = unit.replace("µ", look.glyphs.micro).ljust(2)
    return [(text.rjust(width - 2), look.style("text")), (unit, look.style("dim"))]


def _told(branch: Branch, shown: Tree) -> str:
    """What has no column: where the true share lies; of the start, of how many sessions."""
    if not branch.way:
        return f" {count(branch.count)} of {count(shown.sessions)} sessions "
    low, high = (percent(share, digits=1) for share in branch.likely)
    return f" {clean(_called(branch, shown))}: likely {low} to {high} % "
