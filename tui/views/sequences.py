"""The ways of few people through a funnel, one by one: a share of so few says little."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from store.analytics.shapes import Steps, StepShare, StepUser
from store.timespan import TimeSpan
from tui.formatting import fit, length
from tui.store_door import Cancelled, Store

if TYPE_CHECKING:
    from store.analytics.funnel.analysis import Funnel

FEW: Final = 20
"""Fewer in the first step are told one by one."""
NOTHING: Final = "nothing more"
NAME_MAX: Final = 24
REACHED_MAX: Final = 8
"""Of more steps the first and the last are named."""
# What machines do for somebody tells little of what he does, unless it goes wrong.
TELLING: Final = (
    "(event_type!=span event_type!=metric event_type!=log event_type!=performance)"
    " or severity>=error"
)


def is_few(steps: Sequence[StepShare]) -> bool:
    """Whether somebody, but so few came to the first step that shares say little."""
    return bool(steps) and 0 < steps[0].count < FEW


def of_text(part: int, whole: int) -> str:
    """`3 of 7`, in the place of a share."""
    return f"{part} of {whole}"


def sequences(
    store: Store, query: "Funnel", found: Steps, cancelled: Cancelled = lambda: False
) -> list[dict[str, Any]]:
    """A row for each of the few: `user`, `key` (their breakdown values), `level`, `way` (the steps
    with their times since the first), `outcome`, and `then`, what they did instead of going on;
    who came furthest first. Attempts are told by who made them.
    """
    from store.analytics.funnel.definition import definition_of

    if not is_few(found.steps):
        return []
    if found.users is None or query.slower_than is not None:
        asked = replace(query, users=True, count="users", slower_than=None)
        asked = replace(asked, sensitivity=False, compare=None)
        answer = store.run(asked, cancelled=cancelled).result
        assert isinstance(answer, Steps)
        found = answer
    users = found.users
    if not users:
        return []
    then = _done_next(store, {name: _last(user) for name, user in users.items()}, query.per)
    names = definition_of(query).labels
    rows = [_row(name, user, names, then) for name, user in users.items()]
    return sorted(rows, key=lambda row: (-row["level"], row["began"], row["user"]))


def _done_next(store: Store, last: Mapping[str, datetime], per: str) -> Mapping[str, str]:
    """What each did first after an instant, where anything: rather himself than a machine for him."""
    import polars as pl

    from store.analytics.funnel.instead import THEN, WHO, columns, done_after

    stored = store.span()
    span = TimeSpan(min(last.values()), stored.end) if stored else None
    found: dict[str, str] = {}
    for where in (TELLING, None):
        wanted = {name: at for name, at in last.items() if name not in found}
        if wanted:
            times = pl.DataFrame({WHO: list(wanted), "at": list(wanted.values())})
            after = done_after(store.events(span, where, columns(per)), times, per)
            found |= dict(after.select(WHO, THEN).iter_rows())
    return found


def _last(user: StepUser) -> datetime:
    return max(time for time in user.step_times if time is not None)


def _row(
    name: str, user: StepUser, names: Sequence[str], then: Mapping[str, str]
) -> dict[str, Any]:
    is_done = user.level == len(names)
    outcome = "converted" if is_done else "may still come" if user.is_open else "stopped"
    return {
        "user": name,
        "key": user.key,
        "level": user.level,
        "way": way(user, names),
        "outcome": outcome,
        "then": "" if is_done else then.get(name, NOTHING),
        "began": min(time for time in user.step_times if time is not None),
    }


def way(user: StepUser, names: Sequence[str]) -> str:
    """`signup ▸ +2m pay ▸ +14m ship`: each time is since the first step."""
    timed = zip(user.step_times, names, strict=False)
    reached = [(time, name) for time, name in timed if time is not None]
    first = reached[0][0]
    told = [fit(name, NAME_MAX).rstrip() for _, name in reached[:1]]
    told += [
        f"+{length(time - first)} {fit(name, NAME_MAX).rstrip()}" for time, name in reached[1:]
    ]
    if len(told) > REACHED_MAX:
        left_out = f"… {len(told) - REACHED_MAX + 1} more"
        told = [*told[: REACHED_MAX - 2], left_out, told[-1]]
    return " ▸ ".join(told)
