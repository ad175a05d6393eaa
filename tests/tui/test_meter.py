from datetime import UTC, datetime, timedelta

from tui.meter import Meter

START = datetime(2026, 11, 22, tzinfo=UTC)


def metered(*totals, window=5):
    meter = Meter(timedelta(seconds=window))
    for second, total in enumerate(totals):
        meter.take(START + timedelta(seconds=second), total)
    return meter.rate()


def test_one_sample_says_nothing():
    assert metered(7) is None


def test_steady_growth_is_its_rate():
    assert metered(0, 10, 20, 30) == 10


def test_only_the_window_counts():
    assert metered(0, 1000, 1000, 1000, 1000, 1000, 1000, 1000) == 0


def test_a_total_that_shrinks_starts_anew():
    assert metered(100, 200, 50) is None
