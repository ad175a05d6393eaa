"""What is done off the event loop for the analyses' screen: the question, and its answer in order."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import Final

from store.analytics.query import Query
from store.analytics.shapes import Answer
from store.errors import StoreError, UsageError
from tui.glyphs import Glyphs
from tui.store_door import Cancelled, Store
from tui.view_state import Seen
from tui.views.answer_chart import answer_chart
from tui.views.answer_sheet import Sheet, sheet_of
from tui.views.asking import Told, analysis_of, menu, options_of, question
from tui.views.proposal import propose
from tui.widgets.chart_panel import Chart

STEPS_MIN: Final = 2
ASK, WITH = "ask", "with"
"""The view's options: which analysis, and what else of it is set."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the screen shows; without an answer either nothing was asked, or `fault` says why."""

    menu: Sequence[Told]
    kind: type[Query] | None = None
    answer: Answer | None = None
    sheet: Sheet | None = None
    chart: Chart | None = None
    attributes: frozenset[str] = field(default_factory=frozenset)
    text: str = ""
    """The options that were asked for: those of the view, and steps that nobody wrote."""
    steps: Sequence[str] = ()
    """The steps that were proposed."""
    fault: str = ""
    detail: str = ""
    """The full text of a fault that is not the asker's."""

    @property
    def unreadable_parts(self) -> int:
        return self.answer.unreadable_parts if self.answer else 0


def asking_work(
    seen: Seen, width: int, glyphs: Glyphs, known: Sequence[str] = ()
) -> Callable[[Store, Cancelled], Found]:
    """Gives what is found, or the sentence of what an analysis refuses or fails with: one from
    outside may fail in any way. Steps that nobody wrote are looked for once: `known` are those.
    """
    name, written = seen.view.option(ASK), seen.view.option(WITH)

    def work(store: Store, cancelled: Cancelled) -> Found:
        told = menu(store.analyses)
        if not name:
            return Found(told)
        kind: type[Query] | None = None
        try:
            kind = analysis_of(name, store.analyses).query_type
            wants = _wants_steps(name, kind, written)
            steps = (known or _proposed(store, seen, cancelled)) if wants else ()
            text = " ".join([*filter(None, [written]), *(f"--step {quote(s)}" for s in steps)])
            answer = store.run(question(name, kind, seen, text), cancelled=cancelled)
            attributes = frozenset({*store.column_types(), "severity_class"})
            sheet = sheet_of(answer, seen, width)
            chart = answer_chart(answer, seen.span, seen.zone, glyphs)
            return Found(told, kind, answer, sheet, chart, attributes, text, steps)
        except StoreError as error:
            return Found(told, kind, fault=str(error))
        except Exception as error:  # noqa: BLE001 - an analysis from outside may fail in any way
            said = f"{name} fails: {type(error).__name__}: {error}".splitlines()[0]
            return Found(told, kind, fault=said, detail=traceback.format_exc())

    return work


def _wants_steps(name: str, kind: type[Query], text: str) -> bool:
    """Whether it is about steps, and none are written."""
    from store.analytics.funnel.definition import Stepped

    return issubclass(kind, Stepped) and "steps" not in options_of(name, kind, text)


def _proposed(store: Store, seen: Seen, cancelled: Cancelled) -> Sequence[str]:
    """The way that people usually go; a UsageError where nobody can be followed."""
    steps = propose(store, seen.span, seen.view.where, cancelled)
    if len(steps) < STEPS_MIN:
        fault = "nobody can be followed from event to event in this time"
        raise UsageError("steps", fault, next_step="e writes them: --step signup --step pay")
    return steps
