"""Events that wait on disk for the end of an import, date by date, in a file without a name."""

import io
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import polars as pl


class Spill:
    """Pieces of events by date. The file is gone with the process, whatever ends it; what goes
    into it has been masked.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is on the disk that the parts go to; readers never see the file."""
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._pieces: dict[str, list[tuple[int, int]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def dates(self) -> list[str]:
        return sorted(self._pieces)

    def add(self, day: str, events: pl.DataFrame) -> None:
        """One more piece of that date; OSError when the disk is full."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  closed on exit
        bytes_of = io.BytesIO()
        events.write_ipc(bytes_of, compression="lz4")
        start = self._file.seek(0, io.SEEK_END)
        length = self._file.write(bytes_of.getbuffer())
        self._pieces.setdefault(day, []).append((start, length))

    def take(self, day: str) -> list[pl.DataFrame]:
        """The pieces of that date, which are forgotten here."""
        return [self._read(start, length) for start, length in self._pieces.pop(day, ())]

    def _read(self, start: int, length: int) -> pl.DataFrame:
        assert self._file is not None
        self._file.seek(start)
        return pl.read_ipc(self._file.read(length))
