"""Where things stand in a store's folder, and the names of parts. FORMAT.md is the contract."""

import contextlib
import json
import os
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from store.errors import NewerFormatError, NotAStoreError, StoreError
from store.parts.disk import DISK, Disk, as_store_error, make_folders, write_durably

FORMAT: Final = 1
"""Of stores and parts that this version writes, and the newest that it reads."""
PART_SUFFIX: Final = ".parquet"
# No glob for Parquet files matches it.
STAGED_SUFFIX: Final = ".staged"
_DATE_FOLDER = re.compile(r"_date=([0-9]{4}-[0-9]{2}-[0-9]{2})")
_PART_FILE = re.compile(r"(0|[1-9][0-9]{0,3})-([0-9a-z]{1,32})-(0|[1-9][0-9]{0,17})\.parquet")
_WRITER = re.compile(r"[0-9a-z]{1,32}")
# What may stand in a folder that is about to become a store: leftovers of an attempt to make one,
# and what systems put into any folder.
_NO_CONTENT = re.compile(r"\..*|lost\+found|Thumbs\.db|desktop\.ini")


class PartName(NamedTuple):
    """`LEVEL-WRITER-SEQ`: level 0 is a commit, higher ones are compacted."""

    level: int
    writer: str
    sequence: int

    @classmethod
    def parse(cls, file_name: str) -> Self | None:
        """The name of a visible part; None for anything else, staged files included."""
        match = _PART_FILE.fullmatch(file_name)
        return cls(int(match[1]), match[2], int(match[3])) if match else None

    @property
    def file(self) -> str:
        return f"{self.level}-{self.writer}-{self.sequence}{PART_SUFFIX}"

    @property
    def staged(self) -> str:
        """The name while it is written."""
        return f"{self.file}{STAGED_SUFFIX}"


def is_writer_name(text: str) -> bool:
    """Whether parts can be named after this writer: 1 to 32 digits and lower-case letters."""
    return _WRITER.fullmatch(text) is not None


def folder_of(day: str) -> str:
    """The Hive folder of a UTC date (`2026-11-22`)."""
    return f"_date={day}"


@lru_cache(maxsize=4096)  # the same names come with every poll
def date_of(folder_name: str) -> str | None:
    """The date of a Hive folder; None for any other name."""
    match = _DATE_FOLDER.fullmatch(folder_name)
    if not match:
        return None
    try:
        return date.fromisoformat(match[1]).isoformat()
    except ValueError:
        return None


def _names(folder: Path) -> list[str]:
    return os.listdir(folder)  # noqa: PTH208  # ten thousand Path objects cost 20 ms


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """A store's folder; making the value touches no disk, `open` looks and creates."""

    root: Path

    @property
    def events(self) -> Path:
        return self.root / "events"

    @property
    def staging(self) -> Path:
        """Where parts are written before they get their name. Apart from the events: Polars
        refuses a folder that holds files of another suffix, hidden or not.
        """
        return self.root / "staged"

    @property
    def rollups(self) -> Path:
        return self.root / "rollups"

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def dead_letter(self) -> Path:
        return self.root / "dead_letter"

    @property
    def collector_json(self) -> Path:
        return self.root / "collector.json"

    @property
    def store_json(self) -> Path:
        return self.root / "store.json"

    @classmethod
    def open(cls, root: Path, *, create: bool = False, disk: Disk = DISK) -> Self:
        """The store at `root`. Readers open a missing or an empty folder too: it holds no events.

        With `create` the folder and its marker are made, durably, for this user alone.
        NotAStoreError: something else is in there, nothing was touched. NewerFormatError: a later
        eventdeck wrote it. ReadOnlyStoreError, NoRoomError: it could not be created.
        """
        folder = cls(Path(root).absolute())
        try:
            folder._refuse_what_is_no_store()
            if create:
                folder._create(disk)
        except OSError as error:
            raise as_store_error(error, folder.root) from error
        return folder

    def _refuse_what_is_no_store(self) -> None:
        if not self.root.exists():
            return
        if not self.root.is_dir():
            raise NotAStoreError("store", "this is a file, not a folder", place=str(self.root))
        names = _names(self.root)
        if self.store_json.name in names:
            self._refuse_newer_format()
        if {self.store_json.name, self.events.name}.isdisjoint(names):
            foreign = sorted(name for name in names if not _NO_CONTENT.fullmatch(name))
            if foreign:
                raise NotAStoreError(
                    "store",
                    f"the folder holds other things ({foreign[0]}) and no events",
                    place=str(self.root),
                    next_step="name an empty or a new folder with --store",
                )

    def _refuse_newer_format(self) -> None:
        found = self._marked_format()
        if found > FORMAT:
            raise NewerFormatError(
                "store",
                f"it is of format {found}, this eventdeck knows up to {FORMAT}",
                place=str(self.root),
                next_step="install a newer eventdeck",
            )

    def _marked_format(self) -> int:
        """The format in store.json; 0 when a crash or a bad disk left it unreadable, since the
        parts say themselves which format they are of.
        """
        marker: Any = None
        with contextlib.suppress(ValueError):
            marker = json.loads(self.store_json.read_bytes())
        found = marker.get("format") if isinstance(marker, dict) else None
        return found if isinstance(found, int) else 0

    def _create(self, disk: Disk) -> None:
        make_folders(disk, self.root)
        for folder in (self.events, self.staging):
            make_folders(disk, folder)
        if self.store_json.exists() and self._marked_format():
            return
        staged = self.root / f".store.json.{os.urandom(6).hex()}{STAGED_SUFFIX}"
        write_durably(disk, staged, json.dumps({"format": FORMAT}).encode())
        disk.rename(staged, self.store_json)
        disk.sync_folder(self.root)

    def dates(self) -> list[str]:
        """The dates that have a folder, ascending; empty when there is no store yet."""
        try:
            names = _names(self.events)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError("store", str(error.strerror), place=str(self.events)) from error
        return sorted(day for name in names if (day := date_of(name)))

    def names(self, day: str) -> list[str]:
        """All names in the folder of a date; FileNotFoundError when it is gone."""
        return _names(self.events / folder_of(day))

    def sequences(self, writer: str) -> list[int]:
        """The numbers that stand under a writer's name at level 0, staged ones included."""
        visible = [file for day in self.dates() for file in self.names(day)]
        staged = [path.name.removesuffix(STAGED_SUFFIX) for path in self.staged()]
        names = map(PartName.parse, visible + staged)
        return [n.sequence for n in names if n and (n.level, n.writer) == (0, writer)]

    def staged(self) -> list[Path]:
        """What writers are about to publish, or never will: nothing in it was acknowledged."""
        folders = [folder for folder in (self.root, self.staging) if folder.is_dir()]
        paths = [folder / file for folder in folders for file in _names(folder)]
        return [path for path in paths if path.suffix == STAGED_SUFFIX]
