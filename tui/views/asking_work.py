"""What is done off the event loop for the analyses' screen: the question, and its answer in order."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from store.analytics.query import Query
from store.analytics.shapes import Answer
from store.errors import StoreError
from tui.store_door import Cancelled, Store
from tui.view_state import Seen
from tui.views.answer_sheet import Sheet, sheet_of
from tui.views.asking import Told, analysis_of, menu, question

ASK, WITH = "ask", "with"
"""The view's options: which analysis, and what else of it is set."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the screen shows; without an answer either nothing was asked, or `fault` says why."""

    menu: Sequence[Told]
    kind: type[Query] | None = None
    answer: Answer | None = None
    sheet: Sheet | None = None
    attributes: frozenset[str] = field(default_factory=frozenset)
    fault: str = ""
    detail: str = ""
    """The full text of a fault that is not the asker's."""

    @property
    def unreadable_parts(self) -> int:
        return self.answer.unreadable_parts if self.answer else 0


def asking_work(seen: Seen, width: int) -> Callable[[Store, Cancelled], Found]:
    """Gives what is found, or the sentence of what an analysis refuses or fails with: one from
    outside may fail in any way.
    """
    name = seen.view.option(ASK)

    def work(store: Store, cancelled: Cancelled) -> Found:
        told = menu(store.analyses)
        if not name:
            return Found(told)
        kind: type[Query] | None = None
        try:
            kind = analysis_of(name, store.analyses).query_type
            query = question(name, kind, seen, seen.view.option(WITH))
            answer = store.run(query, cancelled=cancelled)
            attributes = frozenset({*store.column_types(), "severity_class"})
            return Found(told, kind, answer, sheet_of(answer, seen, width), attributes)
        except StoreError as error:
            return Found(told, kind, fault=str(error))
        except Exception as error:  # noqa: BLE001 - an analysis from outside may fail in any way
            said = f"{name} fails: {type(error).__name__}: {error}".splitlines()[0]
            return Found(told, kind, fault=said, detail=traceback.format_exc())

    return work
