"""The numbers on top of the Overview."""

from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.shapes import Series, Timeline
from store.timespan import TimeSpan
from tui.views.stats import _duration

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("few", "number", "note"), [(True, "*7.4", "* of too few"), (False, "7.4", "")]
)
def test_a_percentile_of_too_few_durations_is_marked(few, number, note):
    series = Series({}, [7.4], "p95:duration_ms", total=7.4, few_total=few)
    timeline = Timeline(60.0, [NOON], [series])
    stat = _duration(timeline, None, TimeSpan(NOON, NOON + timedelta(minutes=1)))
    assert (stat.number, stat.unit, stat.note) == (number, "ms", note)
