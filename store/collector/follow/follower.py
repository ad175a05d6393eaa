"""The collector's part in following: what files grow by is decoded, stored, and then done with."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from store.collector.collector import Collector, Prepared
from store.collector.decoders import Decoders
from store.collector.follow.file import FollowedFile, Piece
from store.collector.follow.position import Saved, load, save
from store.collector.refused import Refused, place_of
from store.event import EventIds
from store.normalise import Arrival
from store.normalise.given_ids import with_ids
from store.parts.layout import StoreFolder
from store.settings import Limits
from store.vacuum.events import raw_events
from store.vacuum.output import packed

LOG: Final = logging.getLogger("eventdeck.collector")
LOOK_SECONDS: Final = 0.25
SAVE_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 0.5
INTAKE: Final = "log"
FILE_NAME: Final = "log.file.name"


class Follower:
    """Exactly once: a position moves after what came before it is durable, and what is read again
    after a crash has the ids that it had.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        folder: StoreFolder,
        collector: Collector,
        decoders: Decoders,
        *,
        limits: Limits,
        ids: EventIds,
        logs: bool = False,
    ) -> None:
        """The files need not be there yet. With `logs` ordinary logs in them are events too."""
        saved = load(folder)
        size = limits.line_bytes_max
        self._files = [FollowedFile(p, saved.get(str(p), ()), size, logs=logs) for p in paths]
        self._folder = folder
        self._collector = collector
        self._decoders = decoders
        self._limits = limits
        self._ids = ids
        self._logs = logs
        self._saved: Saved = saved
        self._next_save = 0.0
        self._faults: dict[Path, str] = {}
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Until `close`."""
        while not self._closing.is_set():
            for file in self._files:
                try:
                    await self._take(file)
                    self._faults.pop(file.path, None)
                except OSError as error:
                    self._say(file.path, error.strerror or str(error))
                except Exception as error:  # noqa: BLE001  the other files shall not suffer
                    self._say(file.path, place_of(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._closing.wait()
        await asyncio.to_thread(self._save)
        for file in self._files:
            file.close()

    def close(self) -> None:
        """Takes what is at hand, and no more."""
        self._closing.set()

    def _say(self, path: Path, fault: str) -> None:
        """Once, however often it is met."""
        if self._faults.get(path) != fault:
            self._faults[path] = fault
            LOG.warning("%s cannot be followed: %s", path, fault)

    async def _take(self, file: FollowedFile) -> None:
        pieces = file.pieces()
        while not self._closing.is_set():
            piece = await asyncio.to_thread(next, pieces, None)
            # Before anything is stored, what its ids are made of is on disk.
            await asyncio.to_thread(self._save_when_due, file)
            if piece is None or not await self._store(piece, file.path.name):
                return
            piece.done()

    async def _store(self, piece: Piece, name: str) -> bool:
        """False when it was not stored, since the collector stops."""
        if not piece.found.lines:
            return True
        size = sum(map(len, piece.found.lines))
        prepared = await self._decoders.run(size, self._prepared, piece, name)
        while True:
            try:
                await self._collector.accept(prepared)
            except Refused:
                if self._closing.is_set():
                    return False
                await asyncio.sleep(RETRY_SECONDS)
                continue
            return True

    def _prepared(self, piece: Piece, name: str) -> Prepared:
        raw = raw_events(piece.found, self._limits, where=f"{name} line ", logs=self._logs)
        if raw.frame.height:
            ids = [f"{piece.position.key}-{number:010x}" for number in raw.numbers]
            frame = with_ids(raw.frame, ids)
            if FILE_NAME not in frame.columns:
                frame = frame.with_columns(pl.lit(name).alias(FILE_NAME))
            raw = replace(raw, frame=frame)
        decoded = raw.decoded(Arrival(datetime.now(UTC), INTAKE, self._ids, self._limits))
        lines = zip(piece.found.numbers, piece.found.lines, strict=True)
        body = packed(list(lines)) if decoded.refusals else b""
        return self._collector.prepare(decoded, INTAKE, body)

    def _save_when_due(self, file: FollowedFile) -> None:
        """At once where a file is new: its key must outlive us."""
        known = {position.key for position in self._saved.get(str(file.path), ())}
        is_new = any(position.key not in known for position in file.positions())
        if is_new or time.monotonic() >= self._next_save:
            self._save()

    def _save(self) -> None:
        self._next_save = time.monotonic() + SAVE_SECONDS
        # Those of a file that is not followed now stay: it may be again.
        positions = dict(self._saved)
        for file in self._files:
            if found := file.positions():
                positions[str(file.path)] = found
        if positions != self._saved:
            try:
                save(self._folder, positions)
            except OSError as error:
                LOG.warning("positions in followed files cannot be saved: %s", error.strerror)
                return
            self._saved = positions
