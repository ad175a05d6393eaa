"""Where a command's words go: answers to standard output, all else to standard error."""

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TextIO

# What a terminal could obey inside of a JSON string; C0 is escaped by JSON itself.
_OBEYED: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Console:
    """Standard output and error, whether to be quiet, and the clock."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    now: Callable[[], datetime] = _utc_now

    def line(self, text: str) -> None:
        """A line of the answer, at once."""
        print(text, file=self.out, flush=True)

    def lines(self, texts: Sequence[str]) -> None:
        """Lines of the answer in one write."""
        self.out.write("".join(f"{text}\n" for text in texts))
        self.out.flush()

    def json(self, document: Any) -> None:
        """One JSON document; numbers that JSON lacks (NaN) are null."""
        self.line(json_text(document))

    def note(self, text: str) -> None:
        """Something worth knowing that is no answer; `--quiet` leaves it out."""
        if not self.quiet:
            print(f"eventdeck: {text}", file=self.err, flush=True)

    @property
    def shows_progress(self) -> bool:
        return not self.quiet and self.err.isatty()


def json_text(document: Any) -> str:
    """JSON in one line, exact, and harmless when it is shown on a terminal."""
    import json

    text = json.dumps(_plain(document), ensure_ascii=False, allow_nan=False)
    return made_harmless(text)


def made_harmless(text: str) -> str:
    """The same JSON, with escapes for the characters that a terminal could obey."""
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    from store.timespan import iso

    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case str() | int() | None:
            return value
        case datetime():
            return iso(value if value.tzinfo else value.replace(tzinfo=UTC))
        case list() | tuple() | set():
            return [_plain(item) for item in value]
    return str(value)
