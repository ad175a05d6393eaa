"""Several requests decoded as one, which takes hardly longer than one of them does."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from google.protobuf.message import DecodeError

from store.normalise import Arrival, Decoded, Shared
from store.normalise.json_text import NotTakenError
from store.otlp.requests import Groups, Signal, groups_of
from store.otlp.wire import UnusualError, Whole


def decode_together(
    signal: Signal, bodies: Sequence[bytes], arrival: Arrival
) -> list[Decoded] | None:
    """What `decode_otlp` makes of each body in protobuf. None when one has to be looked at by
    itself: it is not sound, or would change what another's attributes are stored as.
    """
    try:
        apart = [groups_of(signal, body) for body in bodies]
        together = [group for groups in apart for group in groups]
        table = signal.columns(together, arrival.limits)
    except (UnusualError, NotTakenError, DecodeError, UnicodeDecodeError):
        return None
    decoded = table.raw.decoded(arrival)
    if decoded.refusals or not table.is_even or not _are_even(together):
        return None
    counts = [sum(_count(records) for _, records in groups) for groups in apart]
    return _shared(decoded.events, table.rows, counts).apart()


def _count(records: Sequence[Any]) -> int:
    """Of log records and spans as they stand there, of the points of metrics."""
    if not len(records) or type(records[0]) is bytes:
        return len(records)
    return sum(len(getattr(m, m.WhichOneof("data")).data_points) for m in records)


def _are_even(groups: Groups) -> bool:
    """Whether nothing that records share has values of several kinds."""
    kinds: dict[str, type] = {}
    return all(
        kinds.setdefault(name, type(value)) is type(value)
        for context, _ in groups
        for name, value in context.items()
    )


def _shared(events: pl.DataFrame, rows: Whole, counts: Sequence[int]) -> Shared:
    """The events of each body after those of the one before. `rows` are the records that they are
    made of, of which each body has as many as `counts` says.
    """
    bodies = np.searchsorted(np.cumsum(counts), rows, side="right")
    if (bodies[1:] < bodies[:-1]).any():
        events = events[np.argsort(bodies, kind="stable")]
    return Shared(events, np.bincount(bodies, minlength=len(counts)).tolist())
