"""The power goes, after any call that reached the disk.

A story runs once, on a real folder and a disk that records its calls. From the record follows what
stands on the medium when the power goes after the first of them, the second, and so on: a file's
bytes are safe once they were synced, a name once its folder was. Whatever else was under way may
have arrived all the same, in any order and by halves.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.parts.disk import Disk


class RecordingDisk(Disk):
    """A real disk that writes `bytes_a_write` at a time, and remembers what it was asked to do."""

    def __init__(self, bytes_a_write: int = 1_000_000) -> None:
        self.bytes_a_write = bytes_a_write
        self.calls: list[tuple[Any, ...]] = []
        self._files: dict[int, int] = {}

    def _call(self, *call: Any) -> None:
        self.calls.append(call)

    def tell(self, fact: Any) -> None:
        """Notes between the calls what a program was told so far, such as an acknowledgement."""
        self._call("tell", fact)

    def create(self, path: Path) -> int:
        self._call("create", path, len(self.calls))
        descriptor = super().create(path)
        self._files[descriptor] = self.calls[-1][2]
        return descriptor

    def write(self, descriptor: int, data: memoryview) -> int:
        written = bytes(data[: self.bytes_a_write])
        self._call("write", self._files[descriptor], written)
        return super().write(descriptor, memoryview(written))

    def sync(self, descriptor: int) -> None:
        # The real disk is not waited for: no test pulls its plug.
        self._call("sync", self._files[descriptor])

    def close(self, descriptor: int) -> None:
        super().close(descriptor)
        self._files.pop(descriptor, None)

    def rename(self, source: Path, target: Path) -> None:
        self._call("rename", source, target)
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._call("remove", path)
        super().remove(path)

    def make_folder(self, path: Path) -> None:
        self._call("make_folder", path)
        super().make_folder(path)

    def remove_folder(self, path: Path) -> None:
        super().remove_folder(path)
        self._call("remove", path)

    def sync_folder(self, path: Path) -> None:
        self._call("sync_folder", path)

    def forget_cached(self, path: Path) -> None:
        """Changes nothing that could be lost."""


@dataclass
class File:
    data: bytes = b""
    synced: bytes = b""


Content = dict[Path, bytes | None]
"""What stands in a folder: paths within it; None is a folder."""


@dataclass
class Medium:
    """What programs see (`names`), and what would be there after a power cut (`durable`)."""

    root: Path
    names: dict[Path, File | None] = field(default_factory=dict)
    durable: dict[Path, File | None] = field(default_factory=dict)
    told: list[Any] = field(default_factory=list)
    files: dict[int, File] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> "Medium":
        """As the folder is now, and safe."""
        names = {
            path: None if path.is_dir() else File(path.read_bytes(), path.read_bytes())
            for path in root.rglob("*")
        }
        return cls(root, names, dict(names))

    def do(self, call: tuple[Any, ...]) -> None:
        match call:
            case ("tell", fact):
                self.told.append(fact)
            case ("create", path, number):
                self.names[path] = self.files[number] = File()
            case ("write", number, data):
                self.files[number].data += data
            case ("sync", number):
                self.files[number].synced = self.files[number].data
            case ("rename", source, target):
                if source in self.names:  # else the call failed
                    self.names[target] = self.names.pop(source)
            case ("remove", path):
                self.names.pop(path, None)
            case ("make_folder", path):
                self.names.setdefault(path, None)
            case ("sync_folder", path):
                for name in [name for name in self.durable if name.parent == path]:
                    del self.durable[name]
                self.durable |= {n: file for n, file in self.names.items() if n.parent == path}
            case _:
                raise AssertionError(call)

    def after_death(self) -> Content:
        """The process was killed; what it wrote is in the system's hands."""
        return self._content({n: file and file.data for n, file in self.names.items()})

    def after_cut(self) -> Content:
        """The power was cut, and nothing has survived that did not have to."""
        return self._content({n: file and file.synced for n, file in self.durable.items()})

    def after_lucky_cut(self, luck: random.Random) -> Content:
        """Some of what was under way has survived, in any order, and files by halves."""
        found = dict(self.durable)
        for name in sorted(self.names.keys() | self.durable.keys()):
            if self.names.get(name, 0) is not self.durable.get(name, 0) and luck.random() < 0.5:
                found.pop(name, None)
                found |= {name: self.names[name]} if name in self.names else {}
        return self._content({n: file and _torn(file, luck) for n, file in found.items()})

    def _content(self, found: Content) -> Content:
        """Without what stands in a folder whose own name was lost."""
        rooted: Content = {}
        for name in sorted(found):
            inside = name.relative_to(self.root)
            if inside.parent == Path() or inside.parent in rooted:
                rooted[inside] = found[name]
        return rooted


def _torn(file: File, luck: random.Random) -> bytes:
    rest = file.data[len(file.synced) :]
    written = rest[: luck.randint(0, len(rest))]
    return file.synced + luck.choice([written, bytes(len(written))])


def moments(medium: Medium, disk: RecordingDisk) -> Iterator[Medium]:
    """The medium before each of the disk's calls, and after the last; it is the same object."""
    for call in disk.calls:
        yield medium
        medium.do(call)
    yield medium


def laid_out(content: Content, target: Path) -> Path:
    """A real folder with that content."""
    target.mkdir()
    for inside, data in content.items():
        if data is None:
            (target / inside).mkdir()
        else:
            (target / inside).write_bytes(data)
    return target
