"""Requests of OpenTelemetry's protocol in JSON, one a line, as its collector writes them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from store.importer.blocks import blocks
from store.importer.naming import Naming
from store.importer.rows import Reading, Rows
from store.importer.source import as_utf8
from store.normalise import Raw
from store.normalise.json_text import Fault, NotTakenError, loads
from store.otlp import SIGNALS, Signal, json_raw
from store.tally import Refusal

# The one key of a request tells what it is of.
_SIGNALS: Final = {
    "resourceLogs": SIGNALS["logs"],
    "resourceSpans": SIGNALS["traces"],
    "resourceMetrics": SIGNALS["metrics"],
}
_NO_REQUEST: Final = Fault("bad_otlp", f"it is no request; one has {', '.join(_SIGNALS)}")


class Otlp:
    """Told by its content, as such files are named like any other lines of JSON."""

    name = "otlp"
    suffixes: Sequence[str] = ()
    starts: Sequence[bytes] = tuple(f'{{"{key}"'.encode() for key in _SIGNALS)

    def read(self, reading: Reading) -> Iterator[Rows]:
        """The rows, request by request; a line may be as long as a body."""
        with reading.open() as opened:
            for block in blocks(as_utf8(opened), reading.keys, reading.limits.body_bytes_max):
                for number, line in enumerate(block.text.split(b"\n"), block.first):
                    if line.strip():
                        raw = _raw(line, number, reading)
                        yield Rows(raw, f"{block.key}.{number:x}")


def _raw(line: bytes, number: int, reading: Reading) -> Raw:
    place = f"{reading.where}{number}"
    try:
        document = loads(line)
        raw = json_raw(_signal_of(document), document, reading.limits)
    except NotTakenError as refused:
        fault = refused.fault
        return Raw(pl.DataFrame(), refusals=[Refusal(place, fault.text, fault.reason)])
    return replace(
        raw,
        frame=_named(raw.frame, reading.naming),
        where=f"{place}: {raw.where}",
        refusals=[replace(each, place=f"{place}: {each.place}") for each in raw.refusals],
    )


def _signal_of(document: object) -> Signal:
    keys = document if isinstance(document, dict) else {}
    for key, signal in _SIGNALS.items():
        if key in keys:
            return signal
    raise NotTakenError(_NO_REQUEST)


def _named(frame: pl.DataFrame, naming: Naming) -> pl.DataFrame:
    if not naming.mapping and not naming.constants:
        return frame
    return pl.DataFrame(
        [
            values.alias(name)
            for values in frame.get_columns()
            for name in naming.fields_of(values.name)
        ]
    )
