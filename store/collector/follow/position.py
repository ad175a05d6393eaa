"""How far a file has been taken, durably: what tells the file again, and where to go on."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

import xxhash

from store.parts.disk import DISK, Disk, write_durably
from store.parts.layout import StoreFolder

FILE: Final = "followed.json"
HEAD_BYTES: Final = 1024
TAIL_BYTES: Final = 256
"""So many bytes at its start, and before the place, tell a file from one that took its number."""


@dataclass(frozen=True, slots=True)
class Position:
    """The start of the first line that is not stored yet."""

    key: str
    """Ids are made of it and the number of the line: what is read twice is stored once."""
    inode: int = 0
    offset: int = 0
    line: int = 1
    head: str = ""
    """A hash of the file's first bytes, as many as `offset` and HEAD_BYTES allow."""
    tail: str = ""
    """A hash of the bytes before `offset`."""

    @classmethod
    def fresh(cls, descriptor: int) -> Self:
        """At the start of a file that was not seen before."""
        return cls(os.urandom(8).hex(), os.fstat(descriptor).st_ino)

    def moved(self, descriptor: int, offset: int, line: int) -> "Position":
        """Further on in the same file."""
        head, tail = _hashes(descriptor, offset)
        return replace(self, offset=offset, line=line, head=head, tail=tail)

    def fits(self, descriptor: int) -> bool:
        """Whether the file still holds, up to here, what was taken from it."""
        if os.fstat(descriptor).st_size < self.offset:
            return False
        try:
            return not self.offset or _hashes(descriptor, self.offset) == (self.head, self.tail)
        except OSError:  # a folder took its place
            return False


def _hashes(descriptor: int, offset: int) -> tuple[str, str]:
    head = os.pread(descriptor, min(offset, HEAD_BYTES), 0)
    start = max(offset - TAIL_BYTES, 0)
    tail = os.pread(descriptor, offset - start, start)
    return xxhash.xxh3_64_hexdigest(head), xxhash.xxh3_64_hexdigest(tail)


Saved = Mapping[str, Sequence[Position]]
"""By path: the file that stands there last, before it those that it took the place of."""


def load(folder: StoreFolder) -> Saved:
    """What was saved; nothing where there is no sound file."""
    try:
        document = json.loads((folder.root / FILE).read_bytes())
        return {path: [Position(**each) for each in found] for path, found in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def save(folder: StoreFolder, positions: Saved, disk: Disk = DISK) -> None:
    """Durable when it returns. OSError."""
    text = json.dumps({path: [asdict(each) for each in found] for path, found in positions.items()})
    target: Path = folder.root / FILE
    staged = folder.root / f".{FILE}.{os.getpid()}.staged"
    staged.unlink(missing_ok=True)
    write_durably(disk, staged, text.encode())
    disk.rename(staged, target)
    disk.sync_folder(folder.root)
