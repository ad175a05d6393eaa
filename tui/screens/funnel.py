"""Funnel: how many go from step to step, who does not, and how that goes over time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from store.analytics.shapes import Answer, Timeline
from store.timespan import duration_text
from tui.messages import StoreChanged
from tui.plots.chart import GUTTER
from tui.screens.deck_screen import DeckScreen
from tui.store_door import Cancelled, Store
from tui.theme import look_of
from tui.view_state import Seen
from tui.views.conversion import conversion_chart
from tui.views.funnel_question import (
    ORDERS,
    Definition,
    definition_of,
    funnel_questions,
    proposed,
)
from tui.views.intervals import interval_for
from tui.views.proposal import propose
from tui.views.timeline import Frame
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.definition_line import DefinitionLine, Said
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.header import Tab
from tui.widgets.steps_panel import StepsPanel

FRAME_WIDTH: Final = 4
# Shares of few jump: fewer points than a chart of counts has.
COLUMNS_A_POINT: Final = 3


class FunnelScreen(DeckScreen):
    """How many go from step to step."""

    compares = False
    AUTO_FOCUS = "StepsPanel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "maximise", "maximise", show=False, id="funnel.maximise"),
    ]

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._definition: Definition | None = None
        """What is drawn; its steps are kept where they were proposed."""

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield Vertical(
            DefinitionLine(id="definition"),
            StepsPanel(id="steps", classes="panel"),
            ChartPanel(id="trend", classes="panel"),
            id="funnel",
        )

    def on_mount(self) -> None:
        self.steps.border_title = "funnel"
        self.trend.border_title = "conversion"

    @property
    def steps(self) -> StepsPanel:
        return self.query_one(StepsPanel)

    @property
    def trend(self) -> ChartPanel:
        return self.query_one("#trend", ChartPanel)

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        """Steps that nobody named are looked for once, and then kept."""
        known = self._definition
        columns = self.size.width - FRAME_WIDTH - GUTTER
        interval = interval_for(seen.span.length, columns // COLUMNS_A_POINT)

        def work(store: Store, cancelled: Cancelled) -> Mapping[str, Any]:
            asked = definition_of(seen.view, seen.view.length)
            if not asked.steps:
                found = known.steps if known and known.proposed else ()
                found = found or propose(store, seen.span, seen.view.where, cancelled)
                asked = proposed(asked, found)
            if not asked.steps:
                return {"definition": asked}
            questions = funnel_questions(asked, seen, interval)
            answers = store.run_all(tuple(questions.values()), cancelled=cancelled)
            return {"definition": asked, **dict(zip(questions, answers, strict=True))}

        return work

    def store_changed(self, change: StoreChanged) -> None:
        if empty := not change.events:
            self.query_one(EmptyState).advice = first_event(
                self.deck.collector, failed=bool(self.deck.failures)
            )
        self.set_class(empty, "-empty")
        if not empty and self.focused is None:
            self.steps.focus()

    def show(self, seen: Seen, answers: Any) -> None:
        definition: Definition = answers["definition"]
        self._definition = definition
        self._say_definition(definition, seen)
        panel = self.steps
        panel.subjects = definition.subjects
        found = answers.get("steps")
        panel.steps = found.result if found else None
        self._show_trend(seen, definition, answers.get("trend"))

    def _show_trend(self, seen: Seen, definition: Definition, answer: Answer | None) -> None:
        self.set_class(answer is None, "-no-trend")
        if answer is None:
            return
        assert isinstance(answer.result, Timeline)
        self.trend.picture = conversion_chart(
            Frame.of(answer.result, seen.span),
            window=definition.window,
            now=seen.now,
            zone=seen.zone,
            glyphs=look_of(self.app).glyphs,
        )

    def _say_definition(self, definition: Definition, seen: Seen) -> None:
        window = duration_text(definition.window) if definition.window else "any time"
        settings = [
            ("per", "user" if definition.per == "user_id" else definition.per),
            ("", ORDERS.get(definition.order, definition.order)),
            ("within", window),
        ]
        if seen.view.by:
            settings.append(("by", seen.view.by))
        note = "proposed" if definition.proposed else ""
        self.query_one(DefinitionLine).said = Said("steps", definition.steps, settings, note)
