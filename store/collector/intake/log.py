"""What programs print: `POST /v1/lines` takes the events out of any text."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import orjson
import polars as pl

from store.collector.intake.intake import Delivery, Reply, Request, plain_refusal
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded, Raw
from store.normalise.given_ids import with_ids
from store.tally import Receipt
from store.timespan import EPOCH
from store.vacuum.events import raw_events
from store.vacuum.output import CONTENT_TYPE, PATH, Printed, unpacked
from store.vacuum.sieve import Found, sift

STREAM: Final = "log.iostream"
# A clock beside ours, and a reader that waited for a collector.
_AHEAD_MAX: Final = timedelta(minutes=5)
_LATE_MAX: Final = timedelta(days=2)


class LogIntake:
    """Exactly once for what `eventdeck run` sends, whose lines have numbers; plain text without an
    id in its events is at-least-once. `?logs=1` takes ordinary logs as well.
    """

    name = "log"
    routes: tuple[tuple[str, str], ...] = (("POST", PATH),)

    def decode(self, delivery: Delivery) -> Decoded:
        """The events in the text; a refusal for each line that carries the flag and is broken."""
        printed = Printed.of(delivery.parameters)
        request = Request(delivery.path, delivery.headers)
        is_numbered = request.content_type == CONTENT_TYPE
        found = unpacked(delivery.body) if is_numbered else Found()
        if not is_numbered:
            limit = delivery.limits.line_bytes_max
            sift(delivery.body, 1, limit, found, logs=printed.logs)
        where = f"{printed.stream} line " if printed.stream else "line "
        raw = raw_events(found, delivery.limits, where=where, logs=printed.logs)
        received = _read_at(printed, delivery.received)
        arrival = Arrival(received, self.name, delivery.ids, delivery.limits)
        return _told(raw, printed).decoded(arrival)

    def reply(self, receipt: Receipt, _request: Request) -> Reply:
        """200 with the receipt: a text without an event in it is no fault."""
        return Reply(200, orjson.dumps(receipt.as_json()))

    def refusal(self, refused: Refused, receipt: Receipt | None, _request: Request) -> Reply:
        """The fault in JSON, with the receipt where there is one."""
        return plain_refusal(refused, receipt)


def _told(raw: Raw, printed: Printed) -> Raw:
    """The rows with what is known of all of them."""
    frame = raw.frame
    if not frame.height:
        return raw
    if printed.run:
        frame = with_ids(frame, printed.ids(list(raw.numbers)))
    if printed.stream and STREAM not in frame.columns:
        frame = frame.with_columns(pl.lit(printed.stream).alias(STREAM))
    return replace(raw, frame=frame)


def _read_at(printed: Printed, received: datetime) -> datetime:
    """When the lines were read, as far as that can be true."""
    if printed.read_us is None:
        return received
    read = EPOCH + timedelta(microseconds=printed.read_us)
    return read if received - _LATE_MAX <= read <= received + _AHEAD_MAX else received
