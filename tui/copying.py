"""What is too long for the terminal's clipboard goes into a file instead."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from store.errors import UsageError
from tui.formatting import size
from tui.widgets.picker import Choice

COPY_BYTES_MAX = 74_000
"""What terminals take through OSC 52."""


def is_too_long(text: str) -> bool:
    return len(text.encode()) > COPY_BYTES_MAX


def files_for(text: str, now: datetime) -> Sequence[Choice[Path]]:
    """New files to choose from: here, and at home."""
    name = f"eventdeck-{now:%Y%m%d-%H%M%S}.txt"
    hint = " ".join(size(len(text.encode())))
    folders = dict.fromkeys((Path.cwd(), Path.home()))
    return [Choice(str(folder / name), folder / name, hint) for folder in folders]


def read_file(text: str) -> tuple[Path, str]:
    """A file as a person names it, and what that means; UsageError: it is there already."""
    path = Path(text.strip()).expanduser().absolute()
    if path.exists():
        raise UsageError("file", "there is such a file already", next_step="name another")
    return path, f"a new file: {path}"


def keep(content: str | bytes, path: Path) -> None:
    """Writes a new file for this user alone; OSError when it cannot be made."""
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
