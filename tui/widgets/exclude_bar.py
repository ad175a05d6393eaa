"""The row in which one writes what must not happen between the steps of a funnel."""

from typing import ClassVar

from textual.message import Message

from store.errors import StoreError
from tui.messages import ExclusionsPicked, StepsLeft, StepsTyped
from tui.views.funnel_question import Definition
from tui.views.step_text import joined, split_steps
from tui.widgets.entry_bar import EntryBar


class ExcludeBar(EntryBar):
    """Takes `error, refund where amount>5 between 1 2`; what each is between is told by the numbers
    of two steps. Posts StepsTyped, ExclusionsPicked, StepsLeft.
    """

    sign: ClassVar[str] = "  without  "
    open_class: ClassVar[str] = "-excluding"
    definition: Definition | None = None
    """The funnel that they are of."""

    def typed(self, text: str, cursor: int) -> Message:
        return StepsTyped(text, cursor)

    def picked(self, text: str) -> Message:
        return ExclusionsPicked(joined(split_steps(text)))

    def left(self) -> Message:
        return StepsLeft()

    def fault(self, text: str) -> str:
        from store.analytics.funnel.analysis import Funnel
        from store.analytics.funnel.definition import definition_of
        from store.analytics.funnel.steps import exclusion_of_text, step_of_text

        made = self.definition
        try:
            exclude = tuple(map(exclusion_of_text, split_steps(text)))
            if made and made.steps:
                steps = tuple(map(step_of_text, made.steps))
                definition_of(Funnel(steps=steps, order=made.order, exclude=exclude))
        except StoreError as error:
            return str(error)
        return ""
