"""How far a long command is, in one line on a terminal; nothing anywhere else."""

import time
from types import TracebackType
from typing import Final, Self

from tui.commands.console import Console

WIDTH: Final = 30
# Nobody reads faster, and a slow link has better things to carry.
REDRAW_SECONDS: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """A bar while the `with` lasts; it leaves no trace."""

    def __init__(self, console: Console, doing: str) -> None:
        self._console = console
        self._doing = doing
        self._drawn_at = 0.0
        self._visible = console.shows_progress

    def show(self, done: int, total: int) -> None:
        """So many bytes of all; an unknown total is 0."""
        now = time.monotonic()
        if not self._visible or now - self._drawn_at < REDRAW_SECONDS:
            return
        self._drawn_at = now
        share = min(done / total, 1.0) if total else 0.0
        filled = round(share * WIDTH)
        bar = f"[{'#' * filled}{'-' * (WIDTH - filled)}] {share:4.0%}" if total else f"{done:,}"
        self._write(f"{_CLEAR}{self._doing} {bar}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._visible and self._drawn_at:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._console.err.write(text)
        self._console.err.flush()
