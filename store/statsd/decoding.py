"""A body of StatsD lines, such as a datagram or many in a row, to events."""

from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from store.normalise import Arrival, Decoded, Raw
from store.normalise.json_body import within_bounds
from store.normalise.json_lines import Objects, Refusals
from store.normalise.json_text import Fault, NotTakenError
from store.normalise.raw_columns import raw_columns
from store.settings import Limits
from store.statsd.metrics import metrics_of
from store.statsd.notices import check_of, event_of
from store.statsd.sections import Row

WHERE: Final = "line "


def decode_statsd(body: bytes, arrival: Arrival) -> Decoded:
    """An event for each value of each line, and a refusal for each line that is none; lines end
    in LF or CRLF, and empty ones count for nothing.

    A signed gauge has `metric_delta` and no value yet (store.statsd.gauges).
    """
    refusals = Refusals()
    rows: list[Row] = []
    numbers: list[int] = []
    for number, line in _lines(body):
        try:
            found = _rows_of(line, arrival.limits)
        except NotTakenError as refused:
            refusals.add(f"{WHERE}{number}", refused.fault)
            continue
        rows += found
        numbers += [number] * len(found)
    objects = Objects(rows, numbers, WHERE)
    kept, numbers_kept, names = within_bounds(objects, arrival.limits, refusals, exact=True)
    if not kept:
        return Decoded(pl.DataFrame(), refusals.all)
    frame = pl.DataFrame(raw_columns(kept, names, exact=True))
    return Raw(frame, numbers_kept, WHERE, refusals.all).decoded(arrival)


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(body.split(b"\n"), 1):
        stripped = line.strip(b" \t\r")
        if stripped:
            yield number, stripped


def _rows_of(line: bytes, limits: Limits) -> list[Row]:
    if len(line) > limits.line_bytes_max:
        fault = f"it is longer than {limits.line_bytes_max:,} bytes"
        raise NotTakenError(Fault("too_large", fault))
    try:
        text = line.decode()
    except UnicodeDecodeError as broken:
        fault = f"byte {broken.start} is not UTF-8; send UTF-8"
        raise NotTakenError(Fault("bad_encoding", fault)) from None
    read = next((read for start, read in _READERS if text.startswith(start)), metrics_of)
    return read(text)


_READERS: Final[tuple[tuple[str, Callable[[str], list[Row]]], ...]] = (
    ("_e{", event_of),
    ("_sc|", check_of),
)
