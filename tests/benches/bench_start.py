"""From the command to the first picture, and to the whole Overview, beside a bare import.

`python -m tests.benches.bench_start [STORE]`; without a store, on a day of sample history. The bare
import and `eventdeck`, in a pty of 120x40 and at its default view, take turns.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sample_data.copies import demo_history
from tests.benches.pty_terminal import PtyTerminal

ROUNDS = 9
BARE = "import textual.app, polars"
FIRST = re.compile(b"Overview")
WHOLE = re.compile(b"\xe2[\xa0-\xa3][\x80-\xbf]")
"""Braille: the lines of durations come with the answers, and those all at once."""


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(sys.argv[1]) if len(sys.argv) > 1 else sample(Path(folder))
        bare, first, whole = [], [], []
        for _ in range(ROUNDS):
            bare.append(bare_import())
            shown, complete = dashboard(root, folder)
            first.append(shown)
            whole.append(complete)
    middle = statistics.median(bare)
    print(f"{BARE}: {middle * 1e3:.0f} ms, best {min(bare) * 1e3:.0f}")
    say("first picture", first, bare, "wanted: at most 1.2")
    say("whole Overview", whole, bare, "")
    later = statistics.median(b - a for a, b in zip(first, whole, strict=True))
    print(f"whole Overview after the first picture: {later * 1e3:.0f} ms")


def say(what, ours, bare, aim):
    ratios = statistics.median(ours) / statistics.median(bare), min(ours) / min(bare)
    print(
        f"{what}: {statistics.median(ours) * 1e3:.0f} ms, best {min(ours) * 1e3:.0f}: "
        f"ratio {ratios[0]:.2f} of medians, {ratios[1]:.2f} of bests   {aim}"
    )


def sample(folder):
    for commit in demo_history(folder / "store", datetime.now(UTC), seed=1):
        commit()
    return folder / "store"


def bare_import():
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE], check=True)
    return time.perf_counter() - begun


def dashboard(root, home):
    """Seconds to the first picture, and to the whole one."""
    environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(home)}
    environment["COLORTERM"] = "truecolor"
    environment.pop("NO_COLOR", None)
    child = [sys.executable, "-m", "tui.cli", "--store", str(root)]
    terminal = PtyTerminal(child, environment)
    try:
        times = [seen_after(terminal, sign) for sign in (FIRST, WHOLE)]
    finally:
        terminal.close()
    return times


def seen_after(terminal, sign):
    assert terminal.wait_for(60, lambda: sign.search(terminal.received)), terminal.received[-2000:]
    end = sign.search(terminal.received).end()
    return next(at for at, count in terminal.times if count >= end) - terminal.started


if __name__ == "__main__":
    main()
