"""What the funnel screen asks the store. Imports the queries late: they bring Polars."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from store.analytics.query import Query
from store.timespan import duration_text, parse_duration
from tui.formatting import clean
from tui.view_state import LENGTHS, Seen, View
from tui.views.questions import zone_name
from tui.views.reasons import LIMIT
from tui.views.step_text import joined, split_steps

if TYPE_CHECKING:
    from store.analytics.funnel.analysis import Funnel

USER: Final = "user_id"
ORDERS: Final = {"ordered": "in order", "strict": "nothing between", "unordered": "in any order"}
COUNTS: Final = {"users": "once each", "attempts": "all attempts"}
VALUES: Final = {
    "first": "the value they began with",
    "last": "the value they ended with",
    "all": "each value for itself",
}
UNLIMITED: Final = "none"
GROUPS_MAX: Final = 50
# A window of a third of the span lets two thirds of those who begin in it be decided.
WINDOW_SHARE: Final = 3
WINDOW_MIN: Final = timedelta(minutes=1)
WINDOW_MAX: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Definition:
    """A funnel as the view says it; what it leaves open is filled in."""

    steps: tuple[str, ...]
    """As `--step` takes them."""
    window: timedelta | None
    """None is no limit."""
    order: str = "ordered"
    per: str = USER
    exclude: tuple[str, ...] = ()
    """What must not happen between, as `--exclude` takes it."""
    count: str = "users"
    value: str = "first"
    """Whose value of a breakdown counts, as `--attribution` takes it."""
    proposed: bool = False
    """True when the steps were chosen by us."""
    suited: bool = False
    """True when the window was chosen by us, to suit the span."""

    def in_view(self, view: View) -> View:
        """The view with all of it said, so that it means the same elsewhere."""
        window = UNLIMITED if self.window is None else duration_text(self.window)
        return view.with_option("steps", joined(self.steps)).with_option("window", window)

    @property
    def subjects(self) -> str:
        """Who is counted, as a word to be shown."""
        return {USER: "users", "session_id": "sessions"}.get(self.per, clean(self.per))

    @property
    def counted(self) -> str:
        """What the numbers of the steps are of."""
        return "attempts" if self.count == "attempts" else self.subjects

    def query(self, seen: Seen, **more: Any) -> "Funnel":
        """The funnel of the view; a UsageError names what makes no sense in it."""
        from store.analytics.funnel.analysis import Funnel

        by = (seen.view.by,) if seen.view.by else ()
        return Funnel(**{"by": by, "limit": GROUPS_MAX, **self.common(seen), **more})

    def common(self, seen: Seen) -> Mapping[str, Any]:
        """What every question about these steps has."""
        from store.analytics.funnel.steps import exclusion_of_text, step_of_text

        return {
            "span": seen.span,
            "where": seen.view.where or None,
            "tz": zone_name(seen.zone),
            "steps": tuple(map(step_of_text, self.steps)),
            "window": self.window,
            "order": self.order,
            "per": self.per,
            "exclude": tuple(map(exclusion_of_text, self.exclude)),
            "count": self.count,
            "attribution": self.value,
        }


def definition_of(view: View, length: timedelta) -> Definition:
    """What the view says; without steps where they are still to be proposed. A UsageError names
    what is no window.
    """
    window = view.option("window")
    return Definition(
        steps=split_steps(view.option("steps")),
        window=_window(window) if window else suited_window(length),
        order=view.option("order", "ordered"),
        per=view.option("per", USER),
        exclude=split_steps(view.option("exclude")),
        count=view.option("count", "users"),
        value=view.option("value", "first"),
        suited=not window,
    )


def suited_window(length: timedelta) -> timedelta:
    """For a span of that length: so short that most who begin in it are decided."""
    fitting = (rung for rung in LENGTHS if WINDOW_MIN <= rung <= length / WINDOW_SHARE)
    return min(max(fitting, default=WINDOW_MIN), WINDOW_MAX)


def _window(text: str) -> timedelta | None:
    return None if text.lower() == UNLIMITED else parse_duration(text)


def funnel_questions(
    definition: Definition, seen: Seen, interval: timedelta
) -> Mapping[str, Query]:
    """The steps, and how conversion goes over time where nothing is broken down."""
    from store.analytics.funnel.trend import FunnelTrend

    asked: dict[str, Query] = {"steps": definition.query(seen)}
    if not seen.view.by and len(definition.steps) > 1:
        asked["trend"] = FunnelTrend(interval=interval, **definition.common(seen))
    return asked


def driver_questions(definition: Definition, seen: Seen, before: int, to: int) -> list[Query]:
    """What those who came to a step did, and were, that the others who came to the step before it
    did not; both are numbers from 0.
    """
    from store.analytics.funnel.drivers import OF, Drivers

    common = {**definition.common(seen), "from_step": before + 1, "to_step": to + 1}
    return [Drivers(of=of, limit=LIMIT, **common) for of in OF]


def proposed(definition: Definition, steps: tuple[str, ...]) -> Definition:
    """With steps that nobody asked for."""
    return replace(definition, steps=steps, proposed=True)
