"""What a body may hold in number, looked at before it is parsed: an empty record takes two bytes
on the wire and a hundred times as much in memory.
"""

from typing import Final

from store.normalise.json_text import Fault, NotTakenError

ITEMS_MAX: Final = 2_000_000
"""Records and their fields in protobuf, objects and arrays in JSON."""
BUCKETS_MAX: Final = 10_000
"""Of one histogram; SDKs make 160 at the most, and an event has room for no more than this."""
_TOO_MANY_BUCKETS: Final = Fault("too_many_buckets", f"it has more than {BUCKETS_MAX:,} buckets")
# A body of this size cannot hold so many that it matters.
SMALL_BYTES: Final = 1024 * 1024
_TOO_MANY: Final = Fault("too_many", f"it holds more than {ITEMS_MAX:,} records and attributes")


def check_buckets(count: int) -> None:
    """NotTakenError when a histogram has too many."""
    if count > BUCKETS_MAX:
        raise NotTakenError(_TOO_MANY_BUCKETS)


def check_json(body: bytes) -> None:
    """NotTakenError when there is too much in it."""
    if len(body) > SMALL_BYTES and body.count(b"{") + body.count(b"[") > ITEMS_MAX:
        raise NotTakenError(_TOO_MANY)


def check_protobuf(body: bytes, *, levels: int) -> None:
    """NotTakenError when there is too much in it, so many levels below the request; what is
    malformed is left to the parser.
    """
    if len(body) > SMALL_BYTES and _items(body, levels) > ITEMS_MAX:
        raise NotTakenError(_TOO_MANY)


def _items(body: bytes, levels_below: int) -> int:
    """How many fields there are; hardly more than ITEMS_MAX are looked at. A text is taken for a
    message where one could stand, which counts too many by a little.
    """
    count = 0
    waiting = [(0, len(body), levels_below)]
    while waiting:
        at, end, levels = waiting.pop()
        while at < end and count <= ITEMS_MAX:
            count += 1
            tag, at = _varint(body, at)
            kind = tag & 7
            if kind == 2:
                size, at = _varint(body, at)
                if levels:
                    waiting.append((at, min(at + size, end), levels - 1))
                at += size
            elif kind == 0:
                _, at = _varint(body, at)
            elif kind in _FIXED:
                at += _FIXED[kind]
            else:
                break
    return count


_FIXED: Final = {1: 8, 5: 4}


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(body):
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80 or shift > 63:
            break
    return value, at
