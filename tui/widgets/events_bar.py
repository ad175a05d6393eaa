"""The row in which one writes who begins and what counts as coming back."""

from typing import ClassVar, Final

from store.errors import StoreError
from tui.views.step_text import split_steps
from tui.widgets.steps_bar import StepsBar

EVENTS_MAX: Final = 2


class EventsBar(StepsBar):
    """Two events, `signup, page_view where plan=pro`: the first is who begins, the second who
    comes back; one that is left out, or `*`, is any event.
    """

    sign: ClassVar[str] = "  from, back with  "

    def fault(self, text: str) -> str:
        from store.analytics.chosen import parse_chosen

        events = split_steps(text)
        if len(events) > EVENTS_MAX:
            return "two events at most: who begins, and who comes back"
        try:
            for event in events:
                parse_chosen(event, "event")
        except StoreError as error:
            return str(error)
        return ""
