"""Parts at the edge of a span."""

from dataclasses import dataclass
from datetime import timedelta

from store.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class Cut:
    """How a part that straddles an edge of the span is reduced: per cell of `width`, inside
    `span` alone (whole multiples of the span around the edge), so that the partial stays valid
    while the edge moves on.
    """

    width: timedelta
    span: TimeSpan
