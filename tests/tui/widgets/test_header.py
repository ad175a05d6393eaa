"""What the header says of the span."""

from datetime import UTC, datetime

import pytest

from store.timespan import TimeSpan
from tui.view_state import View
from tui.widgets.header import Status, span_text

NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-11-22T10:00", "2026-11-22T11:00", "10:00 - 11:00"),
        ("2026-11-21T10:00", "2026-11-21T11:00", "21 Nov 10:00 - 11:00"),
        ("2026-11-21T10:00", "2026-11-22T11:00", "21 Nov 10:00 - 22 Nov 11:00"),
        ("2024-11-22T10:00", "2024-11-22T11:00", "22 Nov 2024 10:00 - 11:00"),
        ("2024-03-01T00:00", "2024-04-01T00:00", "01 Mar 2024 00:00 - 01 Apr 2024 00:00"),
        ("2025-12-31T00:00", "2026-01-02T00:00", "31 Dec 2025 00:00 - 02 Jan 00:00"),
        ("2027-01-01T00:00", "2027-01-01T01:00", "01 Jan 2027 00:00 - 01:00"),
    ],
)
def test_a_span_in_another_year_says_so(start, end, said):
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    assert span_text(TimeSpan(first, last), Status(NOW, View())) == said
