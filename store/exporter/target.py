"""Where an export goes: a file that is whole or not there, a pipe, or standard output."""

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, cast

import zstandard

from store.errors import NoRoomError, StoreError, UsageError
from store.parts.disk import DISK, as_store_error

STDOUT: Final = "-"
COMPRESSIONS: Final = (".gz", ".zst")
_GZIP_LEVEL: Final = 6  # 9 takes four times as long for a few per cent


class Output(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> Any:
        """All of them."""
        ...

    def isatty(self) -> bool:
        """Whether people see them."""
        ...


def compression_of(name: str) -> str:
    """The last suffix when it is one of COMPRESSIONS, else ""."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in COMPRESSIONS else ""


@contextmanager
def output(name: str, *, force: bool) -> Iterator[Output]:
    """A stream for the bytes of that file, compressed by its name; `-` is standard output.

    The file appears under its name when the context is left without an error, durably, and not at
    all otherwise. UsageError: it is there already (and not `force`), or cannot be made.
    NoRoomError, StoreError: the disk is full or failed.
    """
    path = Path(name).expanduser()
    if name == STDOUT:
        with _compressed(sys.stdout.buffer, "") as out:
            yield out
        sys.stdout.buffer.flush()
        return
    check_target(name, force=force)
    with _failing_as_store_error(path):
        if path.exists() and not path.is_file():  # a pipe or a device: there is no name to give
            with path.open("wb") as device, _compressed(device, name) as out:
                yield out
            return
        with _appearing(path.resolve(), force=force) as raw, _compressed(raw, name) as out:
            yield out


def check_target(name: str, *, force: bool) -> None:
    """A UsageError when nothing can be written under this name."""
    path = Path(name).expanduser()
    if name == STDOUT:
        return
    if path.is_dir():
        raise UsageError("export", "this is a folder", place=name, next_step="name a file in it")
    if path.is_file() and not force:
        raise _there_already(name)
    if not path.resolve().parent.is_dir():
        folder = str(path.parent)
        raise UsageError("export", "there is no such folder", place=folder, next_step="make it")


def _there_already(name: str) -> UsageError:
    fault = "there is such a file already"
    return UsageError("export", fault, place=name, next_step="name another, or add --force")


@contextmanager
def _appearing(path: Path, *, force: bool) -> Iterator[Output]:
    """A file beside `path` that takes its name at last."""
    staged = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}.partial")
    try:
        with staged.open("xb") as raw:
            yield raw
            raw.flush()
            DISK.sync(raw.fileno())
        _show(staged, path, force=force)
        DISK.sync_folder(path.parent)
    finally:
        staged.unlink(missing_ok=True)


def _show(staged: Path, path: Path, *, force: bool) -> None:
    if force:
        staged.replace(path)
        return
    try:
        path.hardlink_to(staged)  # unlike a rename, it never takes another's place
    except FileExistsError:
        raise _there_already(str(path)) from None
    except OSError:  # a file system without links
        if path.exists():
            raise _there_already(str(path)) from None
        staged.replace(path)


@contextmanager
def _compressed(raw: Output, name: str) -> Iterator[Output]:
    match compression_of(name):
        case ".gz":
            # Without a time and a name: the same events give the same bytes.
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, cast(Any, raw), mtime=0) as zipped:
                yield cast(Output, zipped)
        case ".zst":
            with zstandard.ZstdCompressor().stream_writer(
                cast(Any, raw), closefd=False
            ) as squeezed:
                yield squeezed
        case _:
            yield raw


@contextmanager
def _failing_as_store_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        said = as_store_error(error, path)
        kind = NoRoomError if isinstance(said, NoRoomError) else StoreError
        step = "free some space, or name another disk" if kind is NoRoomError else ""
        raise kind("export", said.fault, place=str(path), next_step=step) from error
