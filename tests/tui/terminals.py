"""Apps on a terminal of our own: the driver keeps what an app writes, pyte shows it."""

import asyncio
from queue import Queue
from types import SimpleNamespace

import pyte
from textual.drivers.headless_driver import HeadlessDriver


class TerminalDriver(HeadlessDriver):
    """A driver that is no headless one, and whose terminal is pyte."""

    width, height = 60, 20
    answers = False
    """Whether the terminal acknowledges frames (mode 2026)."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.screen = pyte.Screen(*self._size)
        self.stream = pyte.Stream(self.screen)
        self.sent = []
        self._writer_thread = SimpleNamespace(_queue=Queue())

    @property
    def is_headless(self):
        return False

    def write(self, data):
        self.sent.append(data)
        # pyte does not know this question and would print its end.
        self.stream.feed(data.replace("\x1b[?2026$p", ""))

    def flush(self):
        pass

    @property
    def bytes_sent(self):
        return sum(len(data.encode()) for data in self.sent)

    def cells(self):
        buffer = self.screen.buffer
        return [
            [buffer[y][x] for x in range(self.screen.columns)] for y in range(self.screen.lines)
        ]


async def on_terminal(app, steps, size=(60, 20)):
    """Runs the app until `steps(pilot)` has come back; gives that result."""
    outcome = []

    async def drive(pilot):
        outcome.append(await steps(pilot))
        app.exit()

    await app.run_async(headless=False, size=size, auto_pilot=drive)
    return outcome[0]


async def settle(pilot):
    await pilot.pause()
    await asyncio.sleep(0.05)
    await pilot.pause()
