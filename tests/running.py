"""`eventdeck run` in a process of its own, between pipes or on a terminal."""

import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from store.event_store import EventStore
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan

ROOT = Path(__file__).parents[1]
# One long sleep would hold back the handler of a signal that came just before it began.
WAITS = "for _ in range(600): time.sleep(0.05)"


def command(*words, logs=False):
    own = [sys.executable, "-m", "tui.cli", "run", *(["--logs"] if logs else []), "--"]
    return [*own, *map(str, words)]


def environment(store, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "EVENTDECK_"))}
    return {**kept, "EVENTDECK_STORE": str(store), "PYTHONPATH": str(ROOT), **more}


def start(store, *words, logs=False, env=None, **options):
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        command(*words, logs=logs), env=environment(store, **(env or {})), **{**given, **options}
    )


def run(store, *words, given=None, **options):
    """(exit code, standard output, standard error)"""
    if given is not None:
        options["stdin"] = subprocess.PIPE
    with start(store, *words, **options) as process:
        out, err = process.communicate(given, timeout=60)
    return process.returncode, out, err


def python(text):
    return [sys.executable, "-uc", text]


def printed(**event):
    """A line of Python that prints an event."""
    return f"print({json.dumps({'_e': 1, **event})!r}, flush=True)"


def rows(store, *columns):
    parts = Catalog(StoreFolder.open(store)).snapshot().parts
    found = scan(parts, list(columns), None).select(columns).sort(columns)
    return found.collect().rows() if parts else []


def tally(store):
    return EventStore(store).tally().as_json()


class Terminal:
    """A shell's view of a command: the leader of a session on a terminal of ours."""

    def __init__(self, argv, env, size=(24, 80)):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(ROOT)
            os.execvpe(argv[0], argv, env)
        self.resize(*size)
        self.seen = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.fd, keys)

    def read_until(self, text, seconds=60):
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, self.seen
            if select.select([self.fd], [], [], left)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""
                assert data, self.seen
                self.seen += data
        seen, _, self.seen = self.seen.partition(text)
        return seen

    def rest(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.fd, 65536):
                self.seen += data
        return self.seen

    def end(self):
        """(all that was left to read, the exit code)"""
        rest = self.rest()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return rest, os.waitstatus_to_exitcode(status)
