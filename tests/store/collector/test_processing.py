"""Deliveries that were decoded together are processed together; each gets what is its own."""

import polars as pl

from store.collector.processing import Processing
from store.collector.processors import Processed
from store.collector.processors.mask import MASKED, Mask
from store.normalise import Decoded, Shared

EVENTS = pl.DataFrame(
    {"n": [1, 2, 3, 4], "password": ["a", "b", None, None], "x": [None] * 3 + [1]}
)


class Counting:
    name = "counting"

    def __init__(self):
        self.heights = []

    def __call__(self, events):
        self.heights.append(events.height)
        return Processed(events, reasons={"seen": events.height})


class Even:
    name = "even"

    def __call__(self, events):
        kept = events.filter(pl.col("n") % 2 == 0)
        return Processed(kept, filtered=events.height - kept.height)


def shared():
    return Shared(EVENTS, [2, 0, 2]).apart()


def test_a_piece_has_the_columns_that_it_would_have_by_itself():
    first, none, last = shared()
    assert first.events.to_dict(as_series=False) == {"n": [1, 2], "password": ["a", "b"]}
    assert none.events.height == 0
    assert last.events.to_dict(as_series=False) == {"n": [3, 4], "x": [None, 1]}


def test_what_is_shared_is_looked_at_once_and_counted_once():
    counting = Counting()
    done = list(map(Processing([Mask(), counting]), shared()))
    assert counting.heights == [4]
    assert [dict(each.reasons) for each in done] == [{"masked.password": 2, "seen": 4}, {}, {}]
    assert done[0].events["password"].to_list() == [MASKED, MASKED]
    assert done[2].events.columns == ["n", "x"]


def test_in_any_order_and_mixed_with_others():
    processing = Processing([Mask()])
    one, other = shared(), shared()
    done = [processing(each) for each in (one[2], other[0], one[0], Decoded(EVENTS), other[2])]
    assert [each.events["n"].to_list() for each in done] == [
        [3, 4],
        [1, 2],
        [1, 2],
        [1, 2, 3, 4],
        [3, 4],
    ]
    assert sum(each.reasons.get("masked.password", 0) for each in done) == 2 + 2 + 2


def test_nothing_is_kept_of_frames_that_nobody_has():
    processing = Processing([Mask()])
    assert processing(shared()[0]).events.height == 2
    assert len(processing._pieces) == 0


def test_where_a_processor_drops_events_each_delivery_is_told_of_its_own():
    done = list(map(Processing([Even(), Counting()]), Shared(EVENTS, [3, 1]).apart()))
    assert [each.filtered for each in done] == [2, 0]
    assert [each.events["n"].to_list() for each in done] == [[2], [4]]
    assert [each.reasons["seen"] for each in done] == [1, 1]
