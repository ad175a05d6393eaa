"""What may be kept of something that was rejected. Pure.

Secrets are known by their names, so values are kept only where names can be trusted: in an object
of JSON that can be read, masked as an event would be. Of any other text that looks like such an
object its names stay, and of anything with a word of secrecy in it, or of bytes, nothing does.
"""

import re
from collections import Counter
from typing import Any, Final

from store.collector.processors.mask import MASKED, masked_value
from store.normalise.json_text import NotTakenError, dumps, loads

CONTENT_CHARS_MAX: Final = 4096
ELIDED: Final = "…"
# Any spelling of a secret name, and the escapes that could hide one.
_SUSPECT: Final = re.compile(
    r"pass|pwd|phrase|secret|token|jwt|bearer|auth|cookie|key|cred|private|session|dsn|\\u",
    re.IGNORECASE,
)
# A name and its colon; or a value, in quotes that may be open, or without.
_PIECE: Final = re.compile(r'"[\w.$ @/-]{1,64}"\s*:|"(?:[^"\\]|\\.)*"?|[^\s{}\[\],:"]+')
# Where vendors keep what lets one in, by names that are innocent in an event.
_CREDENTIAL: Final = re.compile(r"(?:key|dsn|^auth|^sig(?:nature)?)$", re.IGNORECASE)
_QUOTING: Final = re.compile(r"""["'\\]""")


def kept(content: bytes) -> str | None:
    """The text that may be kept; None for nothing."""
    try:
        value = loads(content)
    except NotTakenError:
        return _outline(content)
    if not isinstance(value, dict):
        return None
    try:
        masked = _without_credentials(masked_value(value, Counter()))
        return dumps(masked)[:CONTENT_CHARS_MAX]
    except (RecursionError, UnicodeEncodeError):
        return None


def kept_fault(fault: str) -> str:
    """What is said of a fault; without what it quotes where that could be a secret."""
    if _QUOTING.search(fault) and _SUSPECT.search(fault):
        return "what was said of it quotes a value that may be secret"
    return fault[:CONTENT_CHARS_MAX]


def _outline(content: bytes) -> str | None:
    """The names and the braces of what was meant to be an object."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    if not text.lstrip().startswith("{") or _SUSPECT.search(text):
        return None
    return _PIECE.sub(_elided, text[:CONTENT_CHARS_MAX]).strip()


def _elided(piece: re.Match[str]) -> str:
    return piece[0] if piece[0].endswith(":") else ELIDED


def _without_credentials(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_credentials(item) for item in value]
    if isinstance(value, dict):
        return {
            name: MASKED if _CREDENTIAL.search(name) else _without_credentials(item)
            for name, item in value.items()
        }
    return value
