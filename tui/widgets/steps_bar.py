"""The row in which the steps of a funnel are written."""

from typing import ClassVar

from textual.message import Message

from store.errors import StoreError
from tui.messages import StepsLeft, StepsPicked, StepsTyped
from tui.views.step_text import joined, split_steps
from tui.widgets.entry_bar import EntryBar


class StepsBar(EntryBar):
    """Takes the place of the line that says them. Posts StepsTyped, StepsPicked, StepsLeft."""

    sign: ClassVar[str] = "  steps  "
    open_class: ClassVar[str] = "-stepping"

    def typed(self, text: str, cursor: int) -> Message:
        return StepsTyped(text, cursor)

    def picked(self, text: str) -> Message:
        return StepsPicked(joined(split_steps(text)))

    def left(self) -> Message:
        return StepsLeft()

    def fault(self, text: str) -> str:
        return unreadable_steps(text)


def unreadable_steps(text: str) -> str:
    """What is wrong with the steps; empty when they can be asked for. None at all are fine: some
    are proposed then.
    """
    from store.analytics.funnel.analysis import Funnel
    from store.analytics.funnel.definition import definition_of
    from store.analytics.funnel.steps import step_of_text

    steps = split_steps(text)
    try:
        if steps:
            definition_of(Funnel(steps=tuple(map(step_of_text, steps))))
    except StoreError as error:
        return str(error)
    return ""
