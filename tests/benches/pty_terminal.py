"""A terminal for benches: runs a program in a pty, reads at any pace, answers what it is asked."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import threading
import time

TICK_MAX = 250
"""What a second of the clock and the rates in the header may take."""
SYNC_QUESTION = b"\x1b[?2026$p"
SYNC_ANSWER = b"\x1b[?2026;2$y"


class PtyTerminal:
    """`bytes_a_second` is the pace of the link (None: as fast as it comes)."""

    def __init__(self, argv, environment, size=(120, 40), *, answers=True, bytes_a_second=None):
        self.bytes_a_second = bytes_a_second
        self.received = bytearray()
        self.times = []
        """(instant, how many bytes had come by then), for each read."""
        self._answers = answers
        self._closed = False
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.execvpe(argv[0], argv, environment)
        rows = struct.pack("HHHH", size[1], size[0], 0, 0)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, rows)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        step = 0.01
        while not self._closed:
            most = 65_536 if self.bytes_a_second is None else int(self.bytes_a_second * step)
            if select.select([self._fd], [], [], 0.1)[0]:
                try:
                    data = os.read(self._fd, most)
                except OSError:
                    return
                tail = bytes(self.received[-len(SYNC_QUESTION) + 1 :])
                self.received += data
                self.times.append((time.perf_counter(), len(self.received)))
                asked = (tail + data).count(SYNC_QUESTION)
                if self._answers and asked:
                    os.write(self._fd, SYNC_ANSWER * asked)
            if self.bytes_a_second is not None:
                time.sleep(step)

    def press(self, keys):
        """Writes keys as a terminal would; gives the instant."""
        pressed = time.perf_counter()
        os.write(self._fd, keys)
        return pressed

    def count(self):
        return len(self.received)

    def wait_for(self, seconds, condition=lambda: False):
        """Until the condition holds, at most so long; says whether it does."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if condition():
                return True
            time.sleep(0.002)
        return condition()

    def wait_for_picture(self, seconds, most=30.0):
        """Until nothing larger than a clock's tick came for so long: bytes and seconds by then."""
        end = time.perf_counter() + most
        last = (self.started, 0)
        while time.perf_counter() < end and time.perf_counter() - last[0] < seconds:
            time.sleep(0.05)
            counts = [0, *(count for _, count in self.times)]
            steps = zip(self.times, counts, strict=False)
            last = max((now for now, before in steps if now[1] - before > TICK_MAX), default=last)
        return last[1], last[0] - self.started

    def shown_after(self, instant, sign):
        """Seconds from the instant until `sign` came in; None when it has not yet."""
        come = [n for at, n in self.times if at <= instant]
        start = come[-1] if come else 0
        place = self.received.find(sign, start)
        if place < 0:
            return None
        end = place + len(sign)
        return next((at - instant for at, n in self.times if n >= end), None)

    def close(self):
        self._closed = True
        self._reader.join(1)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)
