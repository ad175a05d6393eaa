"""Paths and sessions from the text of their rules, one session and one step after the other; and
random events to ask about.
"""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import chain, groupby, pairwise, zip_longest
from statistics import mean, median

from hypothesis import strategies as st

from store.analytics.paths.paths import Paths
from store.testing import NOON
from store.timespan import TimeSpan
from tests.store.analytics.reference import links

GAP = timedelta(minutes=30)
_NAMES = ("user_id", "install_id", "session_id")


def split(rows, span, query=None):
    """The events of each session that starts in the span, in order, each with its `who`."""
    query = query or Paths()
    linked, lists = links(rows) if query.link else {}, defaultdict(list)
    for row in rows:
        who = row["user_id"] or linked.get(row["install_id"]) or row["install_id"]
        id_ = None if query.ignore_session_id else row["session_id"]
        if id_ or who:
            key = ("id", id_) if id_ else ("who", who)
            lists[key].append({**row, "who": who})
    for (kind, _), events in lists.items():
        events.sort(key=lambda event: (event["event_time"], event["event_id"]))
        parts = [[events[0]]]
        for before, event in pairwise(events):
            silence = event["event_time"] - before["event_time"]
            if kind == "who" and silence > query.session_gap:
                parts.append([])
            parts[-1].append(event)
        yield from (part for part in parts if span.start <= part[0]["event_time"] < span.end)


def walk_of(session, query):
    """(name, time of the last repeat, who) of each run; nothing where all is left out."""
    who = next((event["who"] for event in session if event["who"]), None)
    told = [event for event in session if is_told(event["event_name"], query)]
    runs = [list(run) for _, run in groupby(told, key=lambda event: event["event_name"])]
    return [(run[-1]["event_name"], run[-1]["event_time"], who) for run in runs]


def sessions(rows, span, query=None):
    """Lists of (name, time of the last repeat, who), session by session; what the query leaves out
    is left out of the sessions that there are.
    """
    walks = (walk_of(session, query or Paths()) for session in split(rows, span, query))
    return (walk for walk in walks if walk)


def by_value(rows, query):
    """{values: walks}, the most sessions first; those past the limit under None."""
    found = defaultdict(list)
    for session in split(rows, query.span, query):
        if walk := walk_of(session, query):
            found[values_of(session, query.by)].append(walk)
    order = sorted(found, key=lambda values: (-len(found[values]), values))
    told = {values: found[values] for values in order[: query.limit]}
    rest = [walk for values in order[query.limit :] for walk in found[values]]
    return {**told, None: rest} if rest else told


def values_of(session, by):
    """Of each attribute the first that is given."""
    firsts = (next((event[name] for event in session if event[name]), "") for name in by)
    return tuple(f"{value:g}" if isinstance(value, float) else value for value in firsts)


def is_told(name, query):
    return (not query.only or name in query.only) and name not in query.without


def kept(nodes, query):
    """From the start to the end that were asked for; nothing without them."""
    names = [name for name, _, _ in nodes]
    begin = names.index(query.from_) if query.from_ in names else 0
    if query.from_ not in (None, *names) or query.to not in (None, *names[begin:]):
        return []
    if query.to is None:
        return nodes[begin:]
    return nodes[begin : names.index(query.to, begin) + 1][-query.depth :]


def frequent(walks, query):
    """The names that are shown of each depth, the others being … other."""
    counts = defaultdict(Counter)
    most = query.limit if query.per_step is None else query.per_step
    for nodes in walks:
        for depth, (name, _, _) in enumerate(nodes[: query.depth + 1], 1):
            counts[depth][name] += 1
    return {
        depth: sorted(of, key=lambda name: (-of[name], name))[:most] for depth, of in counts.items()
    }


def slow_edges(rows, query):
    """{(depth, from, to): (count, users, mean, median)}, a session and an edge at a time."""
    return edges_of(sessions(rows, query.span, query), query)


def edges_of(walks, query):
    """The same out of walks."""
    found = defaultdict(list)
    walks = [kept(walk, query) for walk in walks]
    shown = frequent(walks, query)

    def node(depth, name):
        return name if name in shown[depth] else "… other"

    for nodes in walks:
        for depth, (name, time, who) in enumerate(nodes[: query.depth], 1):
            if depth < len(nodes):
                after = nodes[depth]
                to = node(depth + 1, after[0]) if depth < query.depth else "… other"
                found[depth, node(depth, name), to].append((who, (after[1] - time).total_seconds()))
            elif query.to is None:
                found[depth, node(depth, name), "… end"].append((who, None))
    return {
        edge: (
            len(passed),
            len({who for who, _ in passed if who}),
            *((None, None) if edge[2] == "… end" else
              (f([seconds for _, seconds in passed]) for f in (mean, median))),
        )
        for edge, passed in found.items()
    }  # fmt: skip


def slow_paths(rows, query):
    """(nodes, count) of the most frequent, and how many are the rest."""
    walks = [kept(walk, query)[: query.depth] for walk in sessions(rows, query.span, query)]
    counts = Counter(tuple(name for name, _, _ in nodes) for nodes in walks if nodes)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], "\0".join(each[0])))
    return ordered[: query.limit], sum(count for _, count in ordered[query.limit :])


def slow_matrix(walks, query):
    """[(name, counts)] of each step, a session and a step at a time; the marker last."""
    walks = [names for walk in walks if (names := [name for name, _, _ in kept(walk, query)])]
    marker = "path_end" if query.to is None else "path_start"
    lines = [_line(names, query, marker) for names in walks]
    totals = Counter(name for line in lines for name in line if name != marker)
    shown = sorted(totals, key=lambda name: (-totals[name], name))[: query.limit]
    columns = [
        Counter(name if name in (*shown, marker) else "… other" for name in column)
        for column in zip(*lines, strict=True)
    ]
    names = [*shown, *(["… other"] if len(totals) > len(shown) else []), marker]
    return [(name, [column[name] for column in columns]) for name in names if walks]


def _line(names, query, marker):
    absent = [marker] * (query.depth - len(names))
    return [*absent, *names] if query.to is not None else [*names[: query.depth], *absent]


VALUES = {
    "event_name": "abc",
    "user_id": (None, "ada", "bob", ""),
    # A device may be called as somebody is.
    "install_id": (None, "phone", "", "ada"),
    "session_id": (None, None, "", "s1", "s2"),
}
TICK = GAP / 5
"""Ties and silences of exactly the gap are common."""
ROWS = st.fixed_dictionaries(
    {
        "event_time": st.integers(0, 40).map(lambda at: NOON + at * TICK),
        **{name: st.sampled_from(values) for name, values in VALUES.items()},
    }
)
PARTS = st.lists(st.lists(ROWS, min_size=1, max_size=12), min_size=1, max_size=5)
SPANS = st.tuples(st.integers(0, 40), st.integers(1, 70)).map(
    lambda at: TimeSpan(NOON + at[0] * GAP / 7, NOON + sum(at) * GAP / 7)
)
ASKED = {
    "span": SPANS,
    "session_gap": st.sampled_from([GAP, GAP, GAP / 5, 3 * GAP, timedelta(microseconds=1)]),
    "ignore_session_id": st.booleans(),
    "only": st.sampled_from([(), (), ("a", "b"), ("c",)]),
    "without": st.sampled_from([(), (), ("b",), ("a", "x")]),
    "link": st.sampled_from([True, True, False]),
    "limit": st.sampled_from([99, 99, 1, 2]),
}
QUERIES = st.builds(
    Paths,
    from_=st.sampled_from([None, "a"]),
    to=st.sampled_from([None, "b"]),
    depth=st.integers(1, 4),
    per_step=st.sampled_from([None, None, 1, 2]),
    **ASKED,
)
TOWNS = 4
"""Cases in a question: nobody lives in two of them."""
CROWD = 40
"""The same where they are not drawn one value after the other, which costs more than the asking."""


@st.composite
def towns(draw):
    """Parts of a few cases, which a failing test makes smaller."""
    return _together(draw(st.lists(PARTS, min_size=1, max_size=TOWNS)))


@st.composite
def crowds(draw):
    """Parts of CROWD cases."""
    dice = draw(st.randoms(use_true_random=True))
    return _together(
        [[_row(dice) for _ in range(dice.randint(1, 8))] for _ in range(dice.randint(1, 4))]
        for _ in range(CROWD)
    )


def _row(dice):
    time = NOON + dice.randint(0, 40) * TICK
    return {"event_time": time, **{name: dice.choice(of) for name, of in VALUES.items()}}


def _together(found):
    moved = [
        [[{**row, **_of(row, at)} for row in part] for part in parts]
        for at, parts in enumerate(found)
    ]
    return [list(chain(*parts)) for parts in zip_longest(*moved, fillvalue=[])]


def _of(row, town):
    return {name: row[name] and f"{row[name]}{town or ''}" for name in _NAMES}


def with_ids(parts, seed):
    """Ids in an order that is not that of arrival."""
    count = sum(map(len, parts))
    ids = iter(sorted(range(count), key=lambda n: hash((seed, n))))
    return [[{**row, "event_id": f"{next(ids):03}"} for row in part] for part in parts]
