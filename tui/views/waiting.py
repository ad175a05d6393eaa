"""What stands in a panel before its first answer: what is being done, or that it no longer is."""

from store.timespan import duration_text
from tui.glyphs import Glyphs
from tui.messages import StoreChanged
from tui.view_state import Seen


def reading(seen: Seen, stored: StoreChanged | None, glyphs: Glyphs) -> tuple[tuple[str, str], ...]:
    """How many events there are, and how much of their time is read where that is not all."""
    return ((f"reading {_what(seen, stored)} {glyphs.ellipsis}", "dim"), ("esc cancels", "dim"))


def cancelled(*, live: bool) -> tuple[tuple[str, str], ...]:
    """A live view was paused; any other is left as it is."""
    how = "space reads it after all" if live else "t looks at another time"
    return (("nothing was read: cancelled", "dim"), (how, "dim"))


def _what(seen: Seen, stored: StoreChanged | None) -> str:
    if stored is None:
        return "the store"
    events = f"{stored.events:,} events" if stored.events != 1 else "one event"
    held, asked = stored.span, seen.span
    if held is None or (asked.start <= held.start and held.end <= asked.end):
        return events
    return f"{duration_text(seen.view.length)} of {events}"
