"""What the dashboard sends to a terminal, beside stock Textual in the same pty.

`python -m tests.benches.bench_terminal [SECONDS]`. Figures: bytes of the first picture and of each
second live, bytes when nothing changed, key to frame under load, the loop on a slow link.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sample_data.copies import demo_history
from tests.benches.pty_terminal import PtyTerminal

LINKS = {
    "fast link": {},
    "8 kB/s": {"answers": False, "bytes_a_second": 8_000},
    "8 kB/s, acknowledged": {"bytes_a_second": 8_000},
}
# The background of the selected row: it comes with every move of the cursor.
SELECTED = b"48;2;29;43;63"


class Traffic:
    """Events that land in a store while a bench runs; from a process of their own, so that they
    take nothing from the thread that reads the terminal.
    """

    def __init__(self, root, events_a_second, commits_a_second):
        numbers = (str(events_a_second), str(commits_a_second))
        self._command = [
            sys.executable,
            "-m",
            "tests.benches.terminal_traffic",
            str(root),
            *numbers,
        ]

    def __enter__(self):
        self._process = subprocess.Popen(self._command)

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


class Bench:
    def __init__(self, folder, seconds):
        self.folder = Path(folder)
        self.seconds = seconds
        self.gaps = self.folder / "gaps"
        self.root = self.folder / "store"
        for commit in demo_history(self.root, datetime.now(UTC), seed=1):
            commit()

    def dashboard(self, mode, view="overview?last=15m", **terminal):
        self.gaps.write_text("")
        child = [sys.executable, "-m", "tests.benches.terminal_child"]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("NO_COLOR", None)
        arguments = [str(self.root), str(self.gaps), mode, view]
        return PtyTerminal([*child, *arguments], environment, **terminal)

    def worst_gap(self):
        return max((float(line) for line in self.gaps.read_text().split()), default=0.0)

    def first_picture(self, mode):
        """Bytes and seconds until the whole picture of a view that stands still."""
        end = datetime.now(UTC).replace(microsecond=0)
        span = f"since={end - timedelta(minutes=15):%FT%TZ}&until={end:%FT%TZ}"
        terminal = self.dashboard(mode, f"overview?{span}")
        picture = terminal.wait_for_picture(3)
        terminal.close()
        return picture

    def live(self, mode):
        """Bytes a second at 1 Hz, then those of four seconds when nothing changes any more."""
        with Traffic(self.root, 250, 1):
            terminal = self.dashboard(mode)
            terminal.wait_for(6)
            before = terminal.count()
            terminal.wait_for(self.seconds)
            a_second = (terminal.count() - before) / self.seconds
            terminal.press(b" ")
        # The rates in the header look back for five seconds.
        terminal.wait_for(12)
        before = terminal.count()
        terminal.wait_for(4)
        paused = terminal.count() - before
        terminal.close()
        return a_second, paused

    def keys(self, mode):
        """Seconds from key to frame while 5,000 events a second land."""
        waits = []
        with Traffic(self.root, 5_000, 5):
            terminal = self.dashboard(mode)
            terminal.wait_for(6)
            # From the middle of the table: at its ends a key moves nothing.
            for _ in range(7):
                terminal.press(b"\x1b[B")
                terminal.wait_for(0.2)
            for number in range(int(self.seconds * 5)):
                pressed = terminal.press(b"\x1b[B" if number % 12 < 6 else b"\x1b[A")
                moved = partial(terminal.shown_after, pressed, SELECTED)
                terminal.wait_for(1, lambda moved=moved: moved() is not None)
                waits.append(moved() or 1.0)
                terminal.wait_for(0.13 + 0.05 * (number % 3))
            terminal.close()
        return statistics.quantiles(waits, n=100)

    def loop_gap(self, mode, **link):
        """The worst gap of the loop, in ms, while the view pans back and forth: a new picture
        twice a second, more than a slow link takes.
        """
        with Traffic(self.root, 1_000, 5):
            terminal = self.dashboard(mode, **link)
            terminal.wait_for(8)
            self.gaps.write_text("")
            for number in range(int(self.seconds * 2)):
                terminal.press(b"[" if number % 2 == 0 else b"]")
                terminal.wait_for(0.5)
            gap = self.worst_gap()
            terminal.close()
        return gap


def say(what, ours, stock, unit, aim):
    ratio = f"{stock / ours:8.1f}x" if ours else "        "
    print(f"{what:44}{ours:10,.1f}{stock:12,.1f} {unit:5}{ratio}   {aim}", flush=True)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, seconds)
        print(f"{'120x40, truecolor':44}{'cell diff':>10}{'stock':>12}")
        (ours, our_seconds), (stock, stock_seconds) = (
            bench.first_picture(m) for m in ("diff", "stock")
        )
        say("first picture", ours / 1000, stock / 1000, "kB", "<= 25 kB")
        say("  complete after", our_seconds, stock_seconds, "s", "")
        (ours, paused), (stock, stock_paused) = (bench.live(m) for m in ("diff", "stock"))
        say("Overview live at 1 Hz", ours, stock, "B/s", "<= 1,200 B/s")
        say("nothing changes, 4 s", paused, stock_paused, "B", "0 B")
        ours, stock = bench.keys("diff"), bench.keys("stock")
        say("key to frame under 5,000 events/s, p50", ours[49] * 1e3, stock[49] * 1e3, "ms", "")
        say(
            "key to frame under 5,000 events/s, p99",
            ours[98] * 1e3,
            stock[98] * 1e3,
            "ms",
            "<= 50 ms",
        )
        for name, link in LINKS.items():
            ours, stock = (bench.loop_gap(mode, **link) for mode in ("diff", "stock"))
            say(f"worst gap of the loop, {name}", ours, stock, "ms", "<= 100 ms")
    print(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
