"""An App that sends only the cells that changed, and no frame that the link cannot take.

Textual writes whole widgets; over SSH that is ten times the bytes. This overrides the one door
through which pictures leave, `App._display`. It is private API, so `textual==8.2.*` is pinned, and
whatever this does not know goes the usual way.

Flow control: while an earlier frame waits to be written, or the terminal has not yet acknowledged
it, a frame is dropped and one is owed. The front buffer knows what was sent, so a single full
render catches up with all that was dropped.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

from rich.color import ColorSystem
from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from tui.front_buffer import FrontBuffer

_LOOK_AGAIN_SECONDS: Final = 0.03
# A terminal that stops answering is not waited for any longer than this.
_ACKNOWLEDGE_SECONDS_MAX: Final = 5.0
# So little cannot make a link lag: a clock's tick is not worth a question.
_UNCONFIRMED_MAX: Final = 512
_ASK_TO_ACKNOWLEDGE: Final = "\x1b[?2026$p"


class CellDiff(App[None]):
    """Mix in before App; `cell_diff = False` turns it off, `bytes_sent` counts what it sent."""

    cell_diff: bool = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.bytes_sent = 0
        self.frames_dropped = 0
        self._front_buffer: FrontBuffer | None = None
        self._frame_owed = False
        self._frame_awaited = False
        self._terminal_answers = False
        self._unconfirmed = 0
        self._frame_asked_at: float | None = None

    def action_redraw(self) -> None:
        """Draws everything anew, whatever is thought to be on the terminal."""
        self._front_buffer = None
        self._owe_frame()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if not self._can_diff(renderable):
            self._front_buffer = None
            super()._display(screen, renderable)
            return
        if renderable is None or self._batch_count:
            return
        try:
            if self._is_congested():
                self.frames_dropped += 1
                self._owe_frame()
            else:
                self._send_picture(self._current_front().update(_placed(renderable)))
        except Exception as error:  # noqa: BLE001  as App._display does: shown, then left
            self._handle_exception(error)
        finally:
            self.post_display_hook()

    def _can_diff(self, renderable: Any) -> bool:
        driver = self._driver
        return (
            self.cell_diff
            and self._running
            and not self._closed
            and driver is not None
            and not (self.is_headless or driver.is_inline)
            and (renderable is None or isinstance(renderable, LayoutUpdate | ChopsUpdate))
        )

    def _current_front(self) -> FrontBuffer:
        width, height = self.size
        front = self._front_buffer
        if front is None or (front.width, front.height) != (width, height):
            system = self.console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001
            front = self._front_buffer = FrontBuffer(
                width, height, None if self.no_color else system
            )
        return front

    def _send_picture(self, picture: str) -> None:
        if not picture or self._driver is None:
            return
        frame = picture + self._cursor_move()
        if self._sync_available:
            frame = f"{SYNC_START}{frame}{SYNC_END}"
        size = len(frame.encode(errors="replace"))
        self._unconfirmed += size
        if self._terminal_answers and self._unconfirmed > _UNCONFIRMED_MAX:
            frame += _ASK_TO_ACKNOWLEDGE
            size += len(_ASK_TO_ACKNOWLEDGE)
            self._frame_asked_at = time.monotonic()
        self.bytes_sent += size
        self._driver.write(frame)
        self._driver.flush()

    def _cursor_move(self) -> str:
        """The cursor is hidden, but an input method opens its window where it is."""
        if not isinstance(self.focused, Input):
            return ""
        x, y = self.screen.outer_size.clamp_offset(self.cursor_position)
        return f"\x1b[{y + 1};{x + 1}H"

    # Flow control

    def _is_congested(self) -> bool:
        if self._frame_asked_at is not None:
            if time.monotonic() - self._frame_asked_at < _ACKNOWLEDGE_SECONDS_MAX:
                return True
            self._frame_asked_at = None
            self._terminal_answers = False
        writer = getattr(self._driver, "_writer_thread", None)
        return writer is not None and writer._queue.qsize() > 0  # noqa: SLF001

    def _owe_frame(self) -> None:
        self._frame_owed = True
        if not self._frame_awaited:
            self._frame_awaited = True
            self.set_timer(_LOOK_AGAIN_SECONDS, self._look_again, name="frame owed")

    def _look_again(self) -> None:
        self._frame_awaited = False
        self._catch_up()

    def _catch_up(self) -> None:
        """Sends the whole picture through the diff, once the link is free."""
        if not self._frame_owed:
            return
        if self._is_congested() or self._batch_count:
            self._owe_frame()
            return
        self._frame_owed = False
        update = self.screen._compositor.render_update(  # noqa: SLF001
            full=True, screen_stack=self._background_screens
        )
        self._display(self.screen, update)

    def _on_terminal_supports_synchronized_output(
        self, _message: TerminalSupportsSynchronizedOutput
    ) -> None:
        """The terminal's answer: at first that it can, then that it has shown a frame.

        Textual calls the handlers of all bases in turn, so none of these calls super's.
        """
        self._frame_asked_at = None
        self._unconfirmed = 0
        self._terminal_answers = True
        self._catch_up()

    async def _on_resize(self, event: events.Resize) -> None:
        """Of the same size it means that the terminal was someone else's for a while."""
        if self._front_buffer is not None and event.size == self.size:
            self.action_redraw()
        self._front_buffer = None


def _placed(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The strips of an update with their places, as its own rendering would write them."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield x, y, strip
                x += strip.cell_length
        return
    for y, left, right in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is not None and x <= right and end > left:
                yield x, y, (chop if end <= right else chop.crop(0, right - x))
