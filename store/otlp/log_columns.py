"""Log records as columns: what store.otlp.logs makes of them one by one."""

from typing import Any, Final

import numpy as np
import polars as pl

from store.normalise.json_text import dumps
from store.otlp.attribute_columns import TEXT, Attributes, Values, attributes_of
from store.otlp.columnar import Columns, Groups, Records, Table, raw_of, same
from store.otlp.logs import DEFAULT_NAME, LOG, NAME_ATTRIBUTE, WHERE
from store.otlp.texts import hex_of, instants_of, text_of, whole_of
from store.otlp.wire import Fields, UnusualError, fields
from store.settings import Limits

_TIME: Final = 1
_SEVERITY: Final = 2
_SEVERITY_TEXT: Final = 3
_BODY: Final = 5
_ATTRIBUTES: Final = 6
_DROPPED: Final = 7
_FLAGS: Final = 8
_TRACE: Final = 9
_SPAN: Final = 10
_OBSERVED: Final = 11
_NAME: Final = 12


def log_columns(groups: Groups, limits: Limits) -> Table:
    """UnusualError: to be read one by one."""
    records = Records.of(groups, limits)
    found = fields(records.messages)
    height = found.count
    attributes = attributes_of(*found.messages(_ATTRIBUTES))
    observed = found.fixed64(_OBSERVED)
    times = found.fixed64(_TIME)
    times[times == 0] = observed[times == 0]
    own: Columns = {
        "event_time": instants_of(times),
        "event_type": same(LOG, height),
        "event_name": _names(found, attributes, limits),
        "message": _messages(found, limits),
        "severity": whole_of(found.varints(_SEVERITY), np.int64),
        "severity_text": text_of(found, _SEVERITY_TEXT),
        "trace_id": hex_of(found, _TRACE, 16),
        "span_id": hex_of(found, _SPAN, 8),
        "observed_time_unix_nano": whole_of(observed),
        "trace_flags": whole_of(found.fixed32(_FLAGS)),
        "otel.dropped_attributes_count": whole_of(found.varints(_DROPPED)),
    }
    return raw_of(WHERE, own, attributes, records, limits)


def _names(found: Fields, attributes: Attributes, limits: Limits) -> pl.Series:
    """As it was sent, else by the attribute that was for it before."""
    names, said = text_of(found, _NAME), attributes.get(NAME_ATTRIBUTE)
    if said is not None:
        column = said.columns(NAME_ATTRIBUTE, found.count, limits)
        if (
            names is not None
            or [c.dtype for c in column] != [pl.String()]
            or (column[0] == "").any()
        ):
            raise UnusualError
        names = column[0]
        del attributes[NAME_ATTRIBUTE]
    return same(DEFAULT_NAME, found.count) if names is None else names.fill_null(DEFAULT_NAME)


def _messages(found: Fields, limits: Limits) -> pl.Series | None:
    rows, messages = found.messages(_BODY)
    if not len(rows):
        return None
    bodies = Values.of(rows, messages)
    if (bodies.tags == TEXT).all():
        return bodies.columns("message", found.count, limits)[0]
    texts = map(_text, bodies.plain(found.count, limits))
    return pl.Series(list(texts), dtype=pl.String)


def _text(body: Any) -> str | None:
    return body if body is None or type(body) is str else dumps(body)
