"""Every analysis on real-looking data, over spans that cut parts in the middle."""

from datetime import timedelta

import pytest

from sample_data.copies import copy_shifted
from sample_data.storing import END
from store.analytics.registry import ANALYSES
from store.analytics.top import Top
from store.event_store import EventStore
from store.timespan import TimeSpan

MIDNIGHT = END.replace(hour=0)
SPANS = {
    "cut at its start": TimeSpan(END - timedelta(hours=1), END),
    "cut at both ends": TimeSpan(END - timedelta(hours=3), END - timedelta(hours=2)),
    "one part whole, one cut": TimeSpan(END - timedelta(days=2), END - timedelta(hours=2)),
    "whole parts": TimeSpan(END - timedelta(days=2), END + timedelta(days=1)),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("sample") / "store"
    copy_shifted(root, END)
    return EventStore(root)


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
@pytest.mark.parametrize(
    "analysis", [each.load() for each in ANALYSES], ids=lambda analysis: analysis.name
)
def test_it_has_an_answer(store, analysis, span):
    answer = store.run(analysis.query_type(span=span))
    assert answer.events_scanned > 0
    assert analysis.as_json(answer.result)


def test_spans_side_by_side_add_up(store):
    def counts(span):
        rows = store.run(Top(span=span, limit=1000)).result.rows
        return {row.key["event_name"]: row.values["value"] for row in rows}

    first, second = SPANS["one part whole, one cut"], TimeSpan(END - timedelta(hours=2), END)
    both = counts(TimeSpan(first.start, second.end))
    one, other = counts(first), counts(second)
    assert both == {name: one.get(name, 0) + other.get(name, 0) for name in both}
