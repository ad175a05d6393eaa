"""Terminals that look like ours to who writes to them."""

import contextlib
import fcntl
import os
import termios


def opened_like(ours: int, *, is_raw: bool) -> tuple[int, int]:
    """The end that is read and the end for a command, with the modes and the size of `ours`.

    `is_raw`: it leaves line feeds as they are, since ours goes on making CR LF of them.
    """
    master, slave = os.openpty()
    modes = termios.tcgetattr(ours)
    if is_raw:
        modes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    copy_size(ours, master)
    return master, slave


def copy_size(source: int, target: int) -> None:
    """The rows and columns of one for the other; those who use it are told."""
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(target, termios.TIOCSWINSZ, size)
