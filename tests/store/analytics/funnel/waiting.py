"""Who may still come to which step, told by trying: as if what he lacks were done now. What
`reference` says of events and funnels holds here.
"""

from itertools import pairwise

from tests.store.analytics.funnel.reference import (
    attempts,
    best,
    by_person,
    follow_in_turn,
    with_first_times,
)


def waiting(events, funnel, now):
    """How many wait before each step, and may still come."""
    found = [0] * funnel["count"]
    for his in by_person(events).values():
        mine = with_first_times(his, funnel)
        tried = attempts(mine, funnel)
        one = best(tried, mine, funnel)
        if one is None or not may_still_come(mine, tried, funnel, now):
            continue
        required = [step for step in range(funnel["count"]) if step not in funnel["optional"]]
        for before, step in pairwise(required):
            found[step] += before in one[0] and step not in one[0]
    return found


def may_still_come(events, tried, funnel, now):
    """Whether an attempt that is not spoiled would be completed if what it lacks were done now."""
    if not funnel["limited"]:
        return False
    for _, lost, _, begin in tried:
        for first in range(1, funnel["count"]):
            done = [
                {"time": now, "steps": {step}, "excludes": set(), "breaks": True}
                for step in range(first, funnel["count"])
                if step not in funnel["optional"]
            ]
            reached, _ = follow_in_turn([*events, *done], begin, funnel)
            if not lost and max(reached) >= max(set(range(funnel["count"])) - funnel["optional"]):
                return True
    return False
