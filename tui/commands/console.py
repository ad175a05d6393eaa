"""Where a command's words go: answers to standard output, all else to standard error."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

from store.terminals import harmless_json


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
        """Something worth knowing that is no answer, as one harmless line; `--quiet` leaves it
        out.
        """
        if not self.quiet:
            from tui.formatting import clean

            print(f"eventdeck: {clean(' '.join(text.splitlines()))}", file=self.err, flush=True)

    @property
    def shows_progress(self) -> bool:
        return not self.quiet and self.err.isatty()


def json_text(document: Any) -> str:
    """JSON in one line, exact, and harmless when it is shown on a terminal."""
    import json

    text = json.dumps(_plain(document), ensure_ascii=False, allow_nan=False)
    return harmless_json(text)


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
