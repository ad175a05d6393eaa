"""Signed gauges (`queue:-3|g`) are changes of the value that was told last."""

from typing import Final

import polars as pl


class Gauges:
    """The last value of each stream, as far back as STREAMS_MAX of them; what was never told
    begins at 0, as in StatsD itself. Not safe across threads.
    """

    STREAMS_MAX: Final = 10_000

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def settled(self, events: pl.DataFrame) -> pl.DataFrame:
        """The events, in their order, with a `value` where one had only `metric_delta`."""
        if "metric_stream" not in events.columns:
            return events
        none = pl.Series([None], dtype=pl.Float64).new_from_index(0, events.height)
        given = events["value"] if "value" in events.columns else none
        has_deltas = "metric_delta" in events.columns
        deltas = events["metric_delta"] if has_deltas else none
        streams = events["metric_stream"].to_list()
        values = [
            value if stream is None else self._next(stream, value, delta)
            for stream, value, delta in zip(streams, given.to_list(), deltas.to_list(), strict=True)
        ]
        if not has_deltas:
            return events
        return events.with_columns(pl.Series("value", values, dtype=pl.Float64))

    def _next(self, stream: str, value: float | None, delta: float | None) -> float | None:
        if delta is not None:
            value = self._last.get(stream, 0.0) + delta
        if value is not None:
            self._last.pop(stream, None)  # the one that was told of last stands last
            self._last[stream] = value
            if len(self._last) > self.STREAMS_MAX:
                del self._last[next(iter(self._last))]
        return value
