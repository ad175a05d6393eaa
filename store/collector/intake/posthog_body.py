"""The JSON in a PostHog v0 body: as it is, compressed, in base64, or in a form."""

from typing import Final
from urllib.parse import parse_qsl

from store.collector.intake.intake import Delivery
from store.collector.intake.records import check_body
from store.collector.intake.unpacking import GZIP_MAGIC, from_base64, unpacked
from store.normalise.json_text import Fault, NotTakenError

BODY_BYTES_MAX: Final = 20 * 1024 * 1024
"""As PostHog takes a batch, inflated."""
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 20
_BASE64: Final = "base64"


def text_of(delivery: Delivery) -> bytes:
    """NotTakenError: it cannot be unpacked, or is larger than BODY_BYTES_MAX then.

    Told by the bytes; what the sender says of the compression is wanted for base64 alone.
    """
    check_body(delivery.body, 2 * BODY_BYTES_MAX)
    body, compression = delivery.body, delivery.parameters.get("compression", "")
    content_type = delivery.headers.get("content-type", "").lower()
    if body.startswith(b"data=") or (_FORM in content_type and b"data=" in body):
        fields = _form(body)
        body, compression = (
            fields.get("data", b""),
            compression or fields.get("compression", b"").decode("latin-1"),
        )
    if compression == "lz64":
        raise NotTakenError(Fault("bad_encoding", "lz64 is not taken; send gzip-js or base64"))
    body = _inflated(body)
    if compression == _BASE64 or (body and body.lstrip()[:1] not in b"{["):
        body = _inflated(from_base64(body))
    return body


def _inflated(body: bytes) -> bytes:
    if not body.startswith(GZIP_MAGIC):
        return body
    return unpacked(body, "gzip", bytes_max=BODY_BYTES_MAX)


def _form(body: bytes) -> dict[str, bytes]:
    try:
        pairs = parse_qsl(body.decode("latin-1"), encoding="latin-1", max_num_fields=_FIELDS_MAX)
    except ValueError:
        raise NotTakenError(Fault("bad_form", "the form has too many fields")) from None
    return {name: value.encode("latin-1") for name, value in pairs}
