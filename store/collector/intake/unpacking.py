"""Packed texts inside of bodies, bounded as bodies are: base64, and compressed once more."""

import base64
import binascii
from typing import Final

from store.collector.bodies import Budget, Reservation, inflated
from store.collector.refused import Refused
from store.normalise.json_text import Fault, NotTakenError

GZIP_MAGIC: Final = b"\x1f\x8b"
_URL_SAFE: Final = bytes.maketrans(b"-_ ", b"+/+")


def unpacked(data: bytes, encoding: str, *, bytes_max: int) -> bytes:
    """`data` without its encoding, as store.collector.bodies takes it: all members of a gzip, and
    counted while it grows. NotTakenError: past `bytes_max` (`too_large`), or not of the encoding.
    """
    held = Reservation(Budget(len(data) + bytes_max))
    try:
        return inflated(data, encoding, bytes_max=bytes_max, held=held)
    except Refused as refused:
        raise NotTakenError(Fault(refused.reason, refused.fault)) from None


def from_base64(data: bytes) -> bytes:
    """Of either alphabet, padded or not; a space is a plus that a form turned into one.
    NotTakenError: it is none.
    """
    standard = b"".join(data.translate(_URL_SAFE).splitlines()).rstrip(b"=")
    try:
        return base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise NotTakenError(Fault("bad_encoding", "it is not base64")) from None
