"""Steps for a funnel that nobody has defined yet: the longest way that people usually go.

Out of transitions between events: from a name back to the one that most often comes before it, as
long as that is not how a session begins.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from store.analytics.paths.markers import PATH_END, PATH_START, event_named
from store.analytics.shapes import Table
from store.timespan import TimeSpan
from tui.store_door import Cancelled, Store
from tui.views.step_text import step_text

STEPS_MAX: Final = 5
# Ways that fewer go tell nothing yet.
USERS_MIN: Final = 3
PASSAGES_MAX: Final = 500
# What people do comes before what machines do for them.
KINDS: Final = ("event_type=behavioral", "-event_type=metric -event_type=log")
# Ends of a session are no step of anybody's.
FRAME: Final = frozenset({"session_start", "session_end"})

Passage = Mapping[str, Any]


def propose(store: Store, span: TimeSpan, where: str, cancelled: Cancelled) -> tuple[str, ...]:
    """Steps as `--step` takes them, out of the events of the view; none where nobody is known."""
    from store.analytics.filters import parse_filter
    from store.analytics.paths.transitions import Transitions

    wanted, steps = parse_filter(where or None), list[str]()
    for kind in KINDS:
        query = Transitions(
            span=span, where=wanted.and_(parse_filter(kind)).text(), limit=PASSAGES_MAX
        )
        table = store.run(query, cancelled=cancelled).result
        assert isinstance(table, Table)
        found = usual_way([row.values for row in table.rows if not row.folded])
        steps = max(steps, found, key=len)
        if len(steps) > 1:
            break
    return tuple(step_text(event_named(step) or step) for step in steps)


def usual_way(passages: Sequence[Passage]) -> list[str]:
    """Names in the order of the longest way; of ways as long, the one that most people end."""
    known = [p for p in passages if not FRAME & {p["from"], p["to"]}]
    before: dict[str, list[Passage]] = defaultdict(list)
    for passage in known:
        if passage["to"] != PATH_END:
            before[passage["to"]].append(passage)
    ways = [
        _way_to(name, before, PATH_START) for name in before if _users(before[name]) >= USERS_MIN
    ]
    ways = ways or [_way_to(name, before, PATH_START) for name in before]
    return max(ways, key=lambda way: (len(way), _users(before[way[-1]]), way), default=[])


def _way_to(name: str, before: Mapping[str, Iterable[Passage]], start: str) -> list[str]:
    way = [name]
    while len(way) < STEPS_MAX:
        open_ = [p for p in before.get(way[0], ()) if p["from"] not in way]
        usual = max(open_, key=lambda p: (p["count"], p["from"]), default=None)
        if usual is None or usual["from"] == start:
            break
        way.insert(0, usual["from"])
    return way


def _users(passages: Iterable[Passage]) -> int:
    return sum(passage["users"] or 0 for passage in passages)
