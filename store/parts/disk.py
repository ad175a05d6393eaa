"""The few calls that reach the disk, so that tests can fail each of them and cut the power."""

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Final

from store.errors import NoRoomError, ReadOnlyStoreError, StoreError

_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


class Disk:
    """The operating system; all raise OSError. A written file is durable after `sync`, its name
    after `sync_folder` of the folder that it stands in.
    """

    def create(self, path: Path) -> int:
        """A descriptor on a new file for this user alone; FileExistsError when there is one."""
        binary = getattr(os, "O_BINARY", 0)  # only Windows has it, and mends line ends without
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)

    def write(self, descriptor: int, data: memoryview) -> int:
        """Writes the start of `data`, maybe not all of it; the number of bytes written."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Waits until the file's bytes are on the medium, past the drive's own cache."""
        if sys.platform == "darwin":
            import fcntl

            # macOS' fsync stops at the drive's cache; not every file system knows F_FULLFSYNC.
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
                return
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def remove(self, path: Path) -> None:
        path.unlink()

    def forget_cached(self, path: Path) -> None:
        """The next reader gets the file from the medium, where the system knows how."""
        if not hasattr(os, "posix_fadvise"):
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

    def make_folder(self, path: Path) -> None:
        """A new folder for this user alone; FileExistsError when there is one."""
        path.mkdir(0o700)

    def remove_folder(self, path: Path) -> None:
        """An empty folder; OSError when it is not."""
        path.rmdir()

    def sync_folder(self, path: Path) -> None:
        """Waits until the names in `path` are on the medium."""
        if sys.platform == "win32":
            return  # folders cannot be opened there; NTFS journals names
        descriptor = os.open(path, os.O_RDONLY)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)


DISK: Final = Disk()


def write_durably(disk: Disk, path: Path, data: bytes | bytearray | memoryview) -> None:
    """A new file with all of `data`, on the medium; its name is not, until its folder is synced."""
    rest = memoryview(data)
    descriptor = disk.create(path)
    try:
        while rest:
            rest = rest[disk.write(descriptor, rest) :]
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)


def make_folders(disk: Disk, path: Path) -> None:
    """`path` and its missing ancestors, each with its name on the medium before the next."""
    if path.is_dir():
        return
    make_folders(disk, path.parent)
    with contextlib.suppress(FileExistsError):
        disk.make_folder(path)
    disk.sync_folder(path.parent)


def as_store_error(error: OSError, path: Path) -> StoreError:
    """What went wrong on the disk, in the words of the store."""
    fault = (error.strerror or str(error)).lower()
    if error.errno in _NO_ROOM:
        step = "free some space; writing goes on by itself"
        return NoRoomError("store", fault, place=str(path), next_step=step)
    if error.errno in _READ_ONLY:
        step = "make it writable, or name another folder with --store"
        return ReadOnlyStoreError("store", fault, place=str(path), next_step=step)
    return StoreError("store", fault, place=str(path))
