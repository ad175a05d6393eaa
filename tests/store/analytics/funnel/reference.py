"""Funnels worked out in plain Python, one event after the other, from the text of the rules.

Events are dicts with `who`, `time` (a number), `steps` (a set of numbers from 0), `excludes` (a set
of numbers of exclusions), `breaks` and `value`. A funnel is a dict: `count` (of steps), `optional`,
`first_time` (sets), `window` (None: no limit), `order`, `exclusions` (after, before: from 0), and
`span` (start, end) in which attempts begin. `within`: how long after the required step before a
step may come, by its number.
"""

from collections import defaultdict
from itertools import groupby

from tests.store.analytics.funnel.chains import attempt_in_time, next_steps, too_late


def in_order(events):
    """At one instant: steps in their order, what is no step at last."""

    def place(event):
        steps = sorted(event["steps"]) or [99]
        number = sum(1 << step for step in event["steps"])
        return event["time"], steps[0], steps[-1], number, event.get("id", "")

    return sorted(events, key=place)


def each_once(events, funnel):
    """Where an event of an instant is several steps: step after step takes an event, the one that
    is of use again last.
    """
    if funnel["order"] == "unordered":
        return events
    found = []
    for _, same in groupby(events, key=lambda event: event["time"]):
        left = list(same)
        several = any(len(event["steps"]) > 1 for event in left)
        for at in range(funnel["count"] if several else 0):
            fitting = [event for event in left if at in event["steps"]]
            if fitting:
                taken = max(
                    fitting,
                    key=lambda event: min((s for s in event["steps"] if s > at), default=99),
                )
                left.remove(taken)
                found.append(taken)
        found += left
    return found


def by_person(events):
    people = defaultdict(list)
    for event in in_order(events):
        people[event["who"]].append(event)
    return people


def with_first_times(events, funnel):
    """A step that must be the first of its kind is only that."""
    seen, found = set(), []
    for event in events:
        steps = set(event["steps"])
        for step in event["steps"] & funnel["first_time"]:
            if step in seen:
                steps.discard(step)
            seen.add(step)
        found.append({**event, "steps": steps})
    told = [event for event in found if event["time"] >= funnel["span"][0]]
    return each_once(told, funnel)


def attempt_in_turn(events, begin, funnel):
    """step -> place of its event; and where the run was broken."""
    start, at, reached = events[begin], 0, {0: begin}
    for place in range(begin + 1, len(events)):
        event = events[place]
        fitting = [step for step in next_steps(funnel, at) if step in event["steps"]]
        if fitting:
            if too_late(funnel, start, event):
                continue
            at = max(fitting)
            reached[at] = place
        elif funnel["order"] == "strict" and event["breaks"] and at not in event["steps"]:
            return reached, place
    return reached, None


def follow_in_turn(events, begin, funnel):
    follow = attempt_in_time if funnel.get("within") else attempt_in_turn
    return follow(events, begin, funnel)


def attempt_in_any_order(events, begin, funnel):
    """The same; what is excluded and comes before the last step breaks it, and all is lost."""
    start, done, reached, end = events[begin], set(), {}, None
    for place in range(begin, len(events)):
        event = events[place]
        if too_late(funnel, start, event) or (end is not None and event["time"] > end):
            break
        open_steps = event["steps"] - done
        if open_steps:
            reached[len(done)] = place
            done.add(max(open_steps))
        if event["excludes"] and event["time"] > start["time"] and end is None:
            end = event["time"]
    if end is None or len(done) == funnel["count"]:
        return reached, None
    return reached, next(place for place, event in enumerate(events) if event["time"] >= end)


def is_spoiled(events, reached, begin, funnel):
    """What is excluded after one step and before another, inside the window."""
    for number, (after, before) in enumerate(funnel["exclusions"]):
        first, last = after, before
        while first in funnel["optional"] and first not in reached:
            first -= 1
        while last in funnel["optional"] and last not in reached:
            last += 1
        if first not in reached:
            continue
        for event in events:
            inside = event["time"] > events[reached[first]]["time"]
            if last in reached:
                inside = inside and event["time"] < events[reached[last]]["time"]
            if (
                number in event["excludes"]
                and inside
                and not too_late(funnel, events[begin], event)
            ):
                return True
    return False


def attempts(events, funnel):
    """All of one person: (reached, spoiled, broken at, begin)."""
    found = []
    any_order = funnel["order"] == "unordered"
    for begin, event in enumerate(events):
        begins = event["steps"] if any_order else 0 in event["steps"]
        if begins and funnel["span"][0] <= event["time"] < funnel["span"][1]:
            follow = attempt_in_any_order if any_order else follow_in_turn
            reached, broken = follow(events, begin, funnel)
            lost = broken is not None if any_order else is_spoiled(events, reached, begin, funnel)
            found.append((reached, lost, broken, begin))
    return found


def best(found, events, funnel):
    """The first that got furthest, of those the newest; None when all of them are spoiled."""
    if funnel["order"] == "unordered":
        found = [one for one in found if not one[1]]
    deepest = max((max(reached) for reached, *_ in found), default=None)
    clean = [one for one in found if max(one[0]) == deepest and not one[1]]
    return min(clean, key=lambda one: (one[0][deepest], -events[one[3]]["time"]), default=None)


def apart(found, events, funnel):
    """Those that do not overlap, from the first on; of those the ones that are not spoiled."""
    taken, free_from = [], (0, None)
    for one in found:
        reached, _, broken, begin = one
        place, time = free_from
        if begin < place or (time is not None and events[begin]["time"] <= time):
            continue
        taken.append(one)
        if funnel["count"] - 1 in reached:
            free_from = (reached[funnel["count"] - 1] + 1, None)
        elif (expires := expiry(reached, begin, events, funnel)) is None:
            free_from = (len(events) if broken is None else broken, None)
        else:
            late = [p for p, e in enumerate(events) if e["time"] > expires]
            ends = [*late[:1], len(events), *([] if broken is None else [broken])]
            free_from = (min(ends), None)
    return [one for one in taken if not one[1]]


def expiry(reached, begin, events, funnel):
    """When an attempt that was not completed is over; None: never."""
    required = [step for step in range(funnel["count"]) if step not in funnel["optional"]]
    wanted = next((step for step in required if step not in reached), None)
    ends = [] if funnel["window"] is None else [events[begin]["time"] + funnel["window"]]
    if wanted is not None and wanted in funnel.get("within", {}):
        last = max(step for step in required if step in reached)
        ends.append(events[reached[last]]["time"] + funnel["within"][wanted])
    return min(ends, default=None)


def told(one, events):
    """step -> time."""
    return {step: events[place]["time"] for step, place in one[0].items()}


def people(events, funnel):
    """person -> the steps' times of each attempt that counts."""
    found = {}
    for who, his in by_person(events).items():
        mine = with_first_times(his, funnel)
        tried = attempts(mine, funnel)
        if funnel.get("attempts"):
            chosen = apart(tried, mine, funnel)
        else:
            chosen = [one for one in [best(tried, mine, funnel)] if one]
        if chosen:
            found[who] = [told(one, mine) for one in chosen]
    return found


def groups(events, funnel, attribution):
    """value -> person -> the steps' times of each attempt that counts there."""
    found = defaultdict(dict)
    if attribution == "all":
        for value in {event["value"] for event in events}:
            own = [event for event in events if event["value"] == value]
            for who, chosen in people(own, funnel).items():
                found[value][who] = chosen
        return dict(found)
    if attribution in ("first", "last"):
        counted = people(events, funnel)
        for who, his in by_person(events).items():
            mine = with_first_times(his, funnel)
            values = [e["value"] for e in mine if e["steps"] and e["value"]]
            if who in counted:
                value = (values or [""])[0 if attribution == "first" else -1]
                found[value][who] = counted[who]
        return dict(found)
    at = int(attribution.partition(":")[2]) - 1
    for who, his in by_person(events).items():
        mine = with_first_times(his, funnel)
        # Unordered, it is the event that came so many-th, whichever step it was.
        for value in {e["value"] for e in mine}:
            tried = _with_value_at(mine, funnel, at, value)
            tried = [one for one in tried if at in one[0]]
            chosen = [one for one in [best(tried, mine, funnel)] if one]
            if chosen:
                found[value][who] = [told(one, mine) for one in chosen]
    return dict(found)


def _with_value_at(events, funnel, at, value):
    """The funnel in which that step has that value; strict and unordered runs are what they are."""
    if funnel["order"] != "ordered":
        found = attempts(events, funnel)
        return [one for one in found if at in one[0] and events[one[0][at]]["value"] == value]
    only = [
        {**e, "steps": e["steps"] - {at}} if at in e["steps"] and e["value"] != value else e
        for e in events
    ]
    return attempts(only, funnel)


def adopted_rule(events, count, window, within=None):
    """One person's level and step times, by the rule as it is written: the newest chain of each
    step; an event is tried from its highest step down; the first that got deepest counts. Where
    steps have times `within`, a repeat of a step takes the place of the event that reached it.
    """
    within = within or {}
    chains, best_chain = {}, []
    funnel = {"order": "ordered", "count": count}
    for event in each_once(in_order(events), funnel):
        for step in sorted(event["steps"], reverse=True):
            if step == 0:
                chains[0] = [event["time"]]
            elif step - 1 in chains:
                before = chains[step - 1]
                late = window is not None and event["time"] - before[0] > window
                late = late or event["time"] - before[-1] > within.get(step, 10**9)
                same = step in chains and chains[step][0] == before[0]
                if late or (same and not within):
                    continue
                chains[step] = [*before, event["time"]]
            else:
                continue
            if step + 1 > len(best_chain):
                best_chain = chains[step]
    return best_chain
