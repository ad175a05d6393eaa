"""Chains of events, all that there are: where steps have times of their own. What `reference` says
of events and funnels holds here.
"""


def next_steps(funnel, at):
    """Those that may come after a step: optional ones may be left out."""
    found = []
    for step in range(at + 1, funnel["count"]):
        found.append(step)
        if step not in funnel["optional"]:
            break
    return found


def too_late(funnel, start, event):
    return funnel["window"] is not None and event["time"] - start["time"] > funnel["window"]


def attempt_in_time(events, begin, funnel):
    """The same where steps have times of their own: of all chains of events that there are from one
    start, those that get furthest; of those the earliest events of each step.
    """
    required = [step for step in range(funnel["count"]) if step not in funnel["optional"]]
    places, broken = list(range(len(events))), None
    blocks = dict.fromkeys(required, places)
    if funnel["order"] == "strict":
        blocks, broken = blocks_of(events, begin, funnel)
    chains = [(begin,)]
    for step in required[1:]:
        longer = [
            (*chain, place)
            for chain in chains
            for place in blocks.get(step, ())
            if place > chain[-1]
            and step in events[place]["steps"]
            and not too_late(funnel, events[begin], events[place])
            and in_time(funnel, step, events[chain[-1]], events[place])
        ]
        if not longer:
            if funnel["order"] == "strict" and step in blocks:
                broken = blocks[step][0]
            break
        chains = longer
    least = tuple(map(min, zip(*chains, strict=True)))
    assert least in chains, "the earliest events are one chain"
    newest = tuple(map(max, zip(*chains, strict=True)))
    assert newest in chains, "and so are the newest"
    reached = dict(zip(required, least, strict=False))
    return with_optional(events, reached, begin, funnel), broken


def in_time(funnel, step, before, event):
    within = funnel["within"].get(step)
    return within is None or event["time"] - before["time"] <= within


def blocks_of(events, begin, funnel):
    """step -> the places of a strict run at which it is reached, and repeated; and what broke it."""
    start, at, found = events[begin], 0, {0: [begin]}
    for place in range(begin + 1, len(events)):
        event = events[place]
        if at + 1 in event["steps"]:
            if too_late(funnel, start, event):
                continue
            at += 1
            found[at] = [place]
        elif at in event["steps"]:
            found[at].append(place)
        elif event["breaks"]:
            return found, place
    return found, None


def with_optional(events, reached, begin, funnel):
    """With what came between the required steps, in its time."""
    found = dict(reached)
    for step, place in reached.items():
        later = [other for other in reached if other > step]
        end = reached[min(later)] if later else len(events)
        at = step
        for there in range(place + 1, end):
            event = events[there]
            fitting = [
                each
                for each in next_steps(funnel, at)
                if each in funnel["optional"]
                and each in event["steps"]
                and in_time(funnel, each, events[place], event)
                and not too_late(funnel, events[begin], event)
            ]
            if fitting:
                at = max(fitting)
                found[at] = there
    return found
