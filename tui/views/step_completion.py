"""What could come next in the steps of a funnel: names of events, what a step may say, filters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui.filtering import Suggestions, Work
from tui.store_door import Cancelled, Store
from tui.view_state import Seen
from tui.views.step_text import Piece, piece_at, pieces, split_steps, step_text

if TYPE_CHECKING:
    from store.analytics.filters import Completion

NAMES_MAX: Final = 500
OPTIONS_MAX: Final = 20
AFTER_NAME: Final = (" where ", " optional", " first-time", " within 10m")
AFTER_EXCLUDED: Final = (" where ", " between 1 2")


class StepSuggestions:
    """Completes what is typed; remembers the names while the row is open."""

    def __init__(self, seen: Seen, after: tuple[str, ...] = AFTER_NAME) -> None:
        """`after` is what may follow a whole name."""
        self._seen = seen
        self._after = after
        self._names: Sequence[str] | None = None
        self._filters = Suggestions(seen.span)

    def work(self, text: str, cursor: int) -> Work:
        """For the query runner: gives a Completion."""

        def complete(store: Store, cancelled: Cancelled) -> "Completion":
            piece = piece_at(pieces(text), cursor)
            at = piece.filter_at
            if at is not None and cursor >= at:
                work = self._filters.work(text[at : piece.end], cursor - at)
                found: Completion = work(store, cancelled)  # type: ignore[assignment]
                return replace(found, start=found.start + at, end=found.end + at)
            return names_completion(text, cursor, self._known(store, cancelled), self._after)

        return complete

    def _known(self, store: Store, cancelled: Cancelled) -> Sequence[str]:
        """Names of events, commonest first: what people do before what machines do."""
        if self._names is None:
            self._names = common_names(store, self._seen, cancelled)
        return self._names


def common_names(store: Store, seen: Seen, cancelled: Cancelled) -> Sequence[str]:
    """Names of the events of the view, commonest first: what people do before what machines do."""
    from store.analytics.shapes import Table
    from store.analytics.top import Top

    by = ("event_name", "event_type")
    query = Top(by=by, span=seen.span, where=seen.view.where or None, limit=NAMES_MAX)
    table = store.run(query, cancelled=cancelled).result
    assert isinstance(table, Table)
    rows = sorted(table.rows, key=lambda row: row.key.get("event_type") != "behavioral")
    named = [row.key.get("event_name", "") for row in rows if not row.folded]
    return list(dict.fromkeys(name for name in named if name))


def names_completion(
    text: str, cursor: int, known: Sequence[str], after: tuple[str, ...] = AFTER_NAME
) -> "Completion":
    """Names that hold what is typed of the step, those that begin with it first, those that are no
    step yet before those that are; after a whole name, what may follow it.
    """
    from store.analytics.filters import Completion

    piece = piece_at(pieces(text), cursor)
    blanks = len(piece.text) - len(piece.text.lstrip())
    start = min(piece.start + blanks, cursor)
    typed = text[start:cursor].strip("\"'")
    if typed in known and cursor == piece.end:
        return Completion(cursor, cursor, "step", after)
    options = _holding(typed.lower(), known, split_steps(_without(text, piece)))
    return Completion(start, _end(text, piece, cursor), "step", tuple(map(step_text, options)))


def _holding(typed: str, known: Sequence[str], taken: Sequence[str]) -> list[str]:
    found = [name for name in known if typed in name.lower()]
    found.sort(key=lambda name: (not name.lower().startswith(typed), name in taken))
    return found[:OPTIONS_MAX]


def _without(text: str, piece: Piece) -> str:
    return f"{text[: piece.start]},{text[piece.end :]}"


def _end(text: str, piece: Piece, cursor: int) -> int:
    """The end of the word at the cursor."""
    blank = next((at for at in range(cursor, piece.end) if text[at].isspace()), piece.end)
    return max(cursor, blank)
