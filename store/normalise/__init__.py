"""Raw columns, as a decoder found them, made into events: types, times, ids, names, bounds.

`normalised` is the door for every intake and the importer, `decode_json` the one for JSON bodies,
`united` puts frames of events with differing columns together without damage to a value.
"""

from store.normalise.decoded import Decoded, Shared
from store.normalise.events import Arrival, normalised
from store.normalise.json_body import (
    Raw,
    decode_json,
    decode_json_together,
    is_one_object,
    raw_body,
    raw_lines,
    raw_objects,
)
from store.normalise.json_lines import Lines
from store.normalise.united import united

__all__ = [
    "Arrival",
    "Decoded",
    "Lines",
    "Raw",
    "Shared",
    "decode_json",
    "decode_json_together",
    "is_one_object",
    "normalised",
    "raw_body",
    "raw_lines",
    "raw_objects",
    "united",
]
