"""What can be asked about sessions."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from store.analytics.query import Query, option
from store.analytics.sessions.owners import Among
from store.errors import UsageError
from store.timespan import UNITS, TimeSpan, duration_text

GAP: Final = timedelta(minutes=30)
LONGEST: Final = UNITS["d"]
"""How far a session may reach over the edges of the span, to be counted right."""
SORTS: Final = (*("start", "length", "events", "errors", "interactions", "components", "user_id"),)
"""What sessions can be sorted by: the newest, or those with the most, come first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sessions(Query):
    """What people did in one go."""

    analysis: ClassVar[str] = "sessions"

    session_gap: timedelta = option(GAP, "a longer silence ends a session")
    ignore_session_id: bool = option(default=False, help_text="split by the gap alone")
    sort: str = option("start", "the newest first, or those with the most", choices=SORTS)
    reverse: bool = option(default=False, help_text="the other way round")
    offset: int = option(0, "leave out the first so many", metavar="N")
    among: Among | None = option(None, "only these", hidden=True)
    with_devices: bool = option(default=False, help_text="whose events they hold", hidden=True)

    def key(self) -> tuple[Any, ...]:
        """Which of them are shown comes at last."""
        every = replace(self, sort="start", reverse=False, offset=0, among=None, with_devices=False)
        return super(Sessions, every).key()


def horizon(query: Query) -> TimeSpan | None:
    """What must be read to see the sessions of the span."""
    gap(query)
    return query.span and TimeSpan(query.span.start - LONGEST, query.span.end + LONGEST)


def gap(query: Query) -> timedelta:
    """The session gap that was asked for; a UsageError when it is none."""
    asked: timedelta = getattr(query, "session_gap", GAP)
    if asked is None or asked <= timedelta():
        said = "none" if asked is None else duration_text(asked)
        raise UsageError("session gap", f"{said} is no gap", next_step="write 30m")
    return asked
