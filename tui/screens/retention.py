"""Retention: of those who begin in a period, how many come back in the periods after it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from store.analytics.shapes import Answer, Table
from store.timespan import TimeSpan
from tui.formatting import clean
from tui.messages import (
    CellOpened,
    QueryFailed,
    ResultReady,
    RowOpened,
    StepsLeft,
    StepsPicked,
    StepsTyped,
    StoreChanged,
)
from tui.plots.heat import CELLS
from tui.screens.deck_screen import DeckScreen
from tui.store_door import Cancelled, Store
from tui.view_state import Seen
from tui.views.matrix import matrix_of
from tui.views.names import nothing_here
from tui.views.retention_question import CLOCKS, EVERY, MODES, ONS, Cohorts, cohorts_of
from tui.views.returned import (
    Behind,
    Returned,
    behind_of,
    returned_columns,
    returned_of,
    sessions_of,
)
from tui.views.settings import interval_choices, read_interval
from tui.views.step_completion import StepSuggestions
from tui.views.step_text import joined, split_steps
from tui.widgets.big_table import BigTable
from tui.widgets.definition_line import DefinitionLine
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.events_bar import EventsBar
from tui.widgets.header import Tab
from tui.widgets.matrix_panel import MatrixPanel
from tui.widgets.picker import Picker

# What stands left of the cells: names, sizes, the frame.
BESIDE: Final = 28
PERIODS_MIN: Final = 4


class RetentionScreen(DeckScreen):
    """How many of those who begin come back."""

    compares = False
    AUTO_FOCUS = "MatrixPanel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit", tooltip="say who begins and who is back", id="retention.edit"),
        Binding("i", "interval", "period", tooltip="how long a period is", id="retention.interval"),
        Binding(
            "o", "turn('on')", "back exactly then, or then or later", show=False, id="retention.on"
        ),
        Binding(
            "r", "turn('mode')", "their first ever, or each time", show=False, id="retention.mode"
        ),
        Binding(
            "c",
            "turn('clock')",
            "the calendar, or their own clock",
            show=False,
            id="retention.clock",
        ),
        Binding("n", "others", "the others", tooltip="those who were not", id="retention.others"),
        Binding("escape", "back", "back", id="retention.back"),
        Binding("f", "maximise", "maximise", show=False, id="retention.maximise"),
    ]

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._cohorts: Cohorts | None = None
        self._returned: Returned | None = None
        self._suggestions: StepSuggestions | None = None

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield Vertical(
            DefinitionLine(id="definition"),
            EventsBar(),
            MatrixPanel(id="matrix", classes="panel"),
            BigTable(id="returned", classes="panel"),
            id="retention",
        )

    def on_mount(self) -> None:
        self.matrix.border_title = "retention"

    @property
    def matrix(self) -> MatrixPanel:
        return self.query_one(MatrixPanel)

    @property
    def people(self) -> BigTable:
        return self.query_one(BigTable)

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        """As many periods as there are columns for."""
        periods = max(PERIODS_MIN, (self.size.width - BESIDE) // CELLS[0])
        behind = behind_of(seen.view.option("who"))

        def work(store: Store, cancelled: Cancelled) -> Mapping[str, Any]:
            asked = cohorts_of(seen.view, seen.span.length)
            answer = store.run(asked.query(seen, periods), cancelled=cancelled)
            found = {"cohorts": asked, "answer": answer}
            if behind is not None:
                told = store.run(behind.query(asked, seen), cancelled=cancelled)
                found["returned"] = returned_of(told, behind)
            return found

        return work

    def store_changed(self, change: StoreChanged) -> None:
        if empty := not change.events:
            self.query_one(EmptyState).advice = first_event(
                self.deck.collector, failed=bool(self.deck.failures)
            )
        self.set_class(empty, "-empty")
        if not empty and self.focused is None:
            (self.people if self.has_class("-returned") else self.matrix).focus()

    def show(self, seen: Seen, answers: Any) -> None:
        self._cohorts = asked = answers["cohorts"]
        answer: Answer = answers["answer"]
        assert isinstance(answer.result, Table)
        self.query_one(DefinitionLine).said = asked.said()
        stored = self.deck.stored.span if self.deck.stored else None
        self.matrix.advice = (
            ("nobody began in this time: no event of it has a user", "text"),
            ("", "dim"),
            (nothing_here(seen.view, stored, seen.now, seen.zone), "dim"),
            ("e names the events: signup, page_view where plan=pro", "dim"),
        )
        self.matrix.matrix = matrix_of(answer.result, asked.interval, seen.zone, seen.view.by)
        self._show_people(seen, asked, answers.get("returned"))

    def _show_people(self, seen: Seen, asked: Cohorts, found: Returned | None) -> None:
        """The list lies over the cohorts."""
        table = self.people
        if (found is not None) != self.has_class("-returned"):
            self.set_class(found is not None, "-returned")
            (self.matrix if found is None else table).focus()
            self.refresh_bindings()
        if found is None:
            return
        table.border_title = found.title(asked.interval, seen.zone)
        table.border_subtitle = f" {found.note()} "
        table.columns = returned_columns(asked.interval)
        table.advice = ("", "nobody; n shows the others, esc goes back")
        same = self._returned is not None and self._returned.behind == found.behind
        self._returned = found
        table.show(found, len(found.rows), dict(enumerate(found.rows)), above=0 if same else None)

    def on_query_failed(self, message: QueryFailed) -> None:
        """What makes no sense stays said where the picture would be."""
        if message.asker == self.mode:
            how = ("e, i, o, r and c change what is asked; alt+left goes back", "dim")
            self.matrix.advice = ((clean(message.sentence), "warning"), ("", "dim"), how)
            self.matrix.matrix = type(self.matrix.matrix)()

    # Drilling in

    def on_cell_opened(self, message: CellOpened) -> None:
        """Who came back in the period of the cell."""
        self._drill(Behind(message.began.start, message.after))

    def on_row_opened(self, message: RowOpened) -> None:
        """What somebody did, from when they began up to the end of the period."""
        if self._returned is None or self._cohorts is None or not message.row["user"]:
            return
        behind, interval = self._returned.behind, self._cohorts.interval
        span = TimeSpan(behind.start, behind.start + interval * (behind.after + 1))
        view = sessions_of(self.deck.view, message.row["user"], span)
        self.deck.look_at(replace(view, screen="sessions"))

    def action_others(self) -> None:
        if behind := behind_of(self.deck.view.option("who")):
            self._drill(behind.turned())

    def _drill(self, behind: Behind) -> None:
        self.deck.look_at(self.deck.view.with_option("who", behind.text()))

    def action_back(self) -> None:
        self.deck.look_at(self.deck.view.with_option("who", ""))

    # What is counted

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Over an empty store there is nothing to change; `esc` is left to what else it may mean
        while no cell is open.
        """
        if action in ("others", "back"):
            return bool(self.deck.view.option("who")) and not self.waiting
        return not (self.has_class("-empty") and action in ("edit", "interval", "turn"))

    def action_edit(self) -> None:
        self._suggestions = StepSuggestions(self.deck.seen())
        view = self.deck.view
        events = [view.option("start", EVERY), view.option("back", EVERY)]
        self.query_one(EventsBar).open("" if set(events) == {EVERY} else joined(events))

    def on_steps_typed(self, message: StepsTyped) -> None:
        if self._suggestions:
            work = self._suggestions.work(message.text, message.cursor)
            self.deck.runner.ask("retention.completion", work, self)

    def on_steps_left(self, message: StepsLeft) -> None:
        message.stop()
        self.deck.runner.cancel("retention.completion")

    def on_steps_picked(self, message: StepsPicked) -> None:
        view = self.deck.view.with_option("who", "")
        for name, event in zip(
            ("start", "back"), [*split_steps(message.text), "", ""], strict=False
        ):
            view = view.with_option(name, "" if event == EVERY else event)
        self.deck.look_at(view)

    def on_result_ready(self, message: ResultReady) -> None:
        if message.asker == "retention.completion":
            self.query_one(EventsBar).show_completion(message.result)

    def action_interval(self) -> None:
        choices = interval_choices(self.deck.view.length)
        picker = Picker(
            "how long a period is", choices, placeholder="1d, 6h, …", read=read_interval
        )
        self.app.push_screen(picker, self._pick_interval)

    def _pick_interval(self, text: str | None) -> None:
        if text is not None:
            view = self.deck.view.with_option("who", "")
            self.deck.look_at(view.with_option("interval", text))

    def action_turn(self, name: str) -> None:
        """The other one of two."""
        first, other = {"on": ONS, "mode": MODES, "clock": CLOCKS}[name]
        view = self.deck.view
        is_first = view.option(name, first) == first
        self.deck.look_at(view.with_option(name, other if is_first else ""))
