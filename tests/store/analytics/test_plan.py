"""Which parts are put together: every one once, and hardly any anew when one more comes."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.plan import Planner, key_of
from store.testing import NOON
from store.timespan import TimeSpan

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Stored:
    """As much of a part as the plan looks at."""

    date: str
    level: int
    writer: str
    sequence: int
    newest_received: object
    span: TimeSpan
    rows: int = 1


def part(sequence, writer="w", date="2026-11-22", second=None):
    start = NOON + (sequence if second is None else second) * SECOND
    return Stored(date, 0, writer, sequence, start, TimeSpan(start, start + SECOND))


def ordered(found):
    return sorted(found, key=lambda each: (each.date, each.writer, each.sequence))


def leaves(nodes):
    return [key_of(node.part) for node in nodes if node.part] + [
        key for node in nodes for key in leaves(node.nodes)
    ]


def keys(nodes):
    return {node.key for node in nodes} | {key for node in nodes for key in keys(node.nodes)}


def frames(nodes, known):
    """How many frames are put together, when those of `known` nodes are kept."""
    new = [node for node in nodes if node.nodes and node.key not in known]
    return len(nodes) + sum(frames(node.nodes, known) for node in new)


parts = st.lists(
    st.builds(
        part,
        st.integers(0, 5_000),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["2026-11-21", "2026-11-22"]),
    ),
    unique_by=key_of,
    max_size=200,
)


@settings(max_examples=50, deadline=None)
@given(parts)
def test_all_history_is_every_part_once(found):
    plan = Planner().tree(ordered(found)).planned(None)
    assert sorted(leaves(plan.nodes)) == sorted(map(key_of, found))
    assert not plan.cut


@settings(max_examples=50, deadline=None)
@given(parts, st.integers(0, 4_000), st.integers(1, 2_000))
def test_parts_are_whole_or_cut_or_outside(found, start, length):
    span = TimeSpan(NOON + start * SECOND / 2, NOON + (start + length) * SECOND / 2)
    plan = Planner().tree(ordered(found)).planned(span)
    whole = [key_of(each) for each in found if span.covers(each.span)]
    cut = [key_of(p) for p in found if p.span.overlaps(span) and not span.covers(p.span)]
    assert sorted(leaves(plan.nodes)) == sorted(whole)
    assert sorted(leaves(plan.cut)) == sorted(cut)


def test_one_more_part_costs_a_handful_of_combinations():
    planner, known, costs = Planner(), set(), []
    for count in range(500, 600):
        nodes = planner.tree([part(number) for number in range(count)]).planned(None).nodes
        costs.append(frames(nodes, known))
        known |= keys(nodes)
    assert max(costs[1:]) < 60
    assert sum(costs[1:]) / len(costs) < 20


def test_a_span_that_moves_on_costs_little_at_both_ends():
    planner, known, costs = Planner(), set(), []
    for first in range(80):
        stored = [part(number) for number in range(first + 300)]
        span = TimeSpan(NOON + first * SECOND, NOON + (first + 300) * SECOND)
        nodes = planner.tree(stored).planned(span).nodes
        assert len(leaves(nodes)) == 300
        costs.append(frames(nodes, known))
        known |= keys(nodes)
    assert max(costs[1:]) < 80


def test_nodes_stay_the_same_until_their_parts_change():
    planner = Planner()
    stored = [part(number) for number in range(100)]
    before = planner.tree(stored).planned(None)
    assert keys(planner.tree(list(stored)).planned(None).nodes) == keys(before.nodes)
    merged = [*stored[:10], *stored[20:]]
    after = planner.tree(merged).planned(None)
    assert leaves(after.nodes) != leaves(before.nodes)
    assert len(keys(after.nodes) - keys(before.nodes)) < 8


def test_groups_of_two_planners_are_told_apart():
    """One reading takes some questions' parts from one planner, others' from another."""
    stored = [part(at) for at in range(20)]
    one, other = (Planner().tree(stored).planned(None).nodes for _ in range(2))
    parts_of = set(map(key_of, stored))
    assert keys(one) - parts_of
    assert not (keys(one) - parts_of) & (keys(other) - parts_of)
