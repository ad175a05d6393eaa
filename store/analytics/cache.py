"""What was once computed from parts: kept while there is room, least recently used first out."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, NamedTuple

import polars as pl

from store.analytics.links import Links
from store.analytics.shapes import Finished

ENTRY_SHARE_MAX: Final = 8
"""No entry may take more than one in so many of the cache's bytes."""
_ENTRY_BYTES: Final = 1_000
"""What an entry takes beside its values: the key, and the frame's own objects."""


class PartialCache:
    """Frames by key, up to a number of bytes. Safe across threads."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._frames: OrderedDict[Hashable, tuple[pl.DataFrame, int]] = OrderedDict()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """What is kept now."""
        return self._bytes

    def get(self, key: Hashable) -> pl.DataFrame | None:
        """The frame of that key, if it is still kept; it counts as used just now."""
        with self._lock:
            found = self._frames.get(key)
            if found is None:
                return None
            self._frames.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, frame: pl.DataFrame) -> None:
        """Keeps it, unless it is too large to be worth the others' room."""
        size = int(frame.estimated_size()) + _ENTRY_BYTES
        if size * ENTRY_SHARE_MAX > self._bytes_max:
            return
        with self._lock:
            _, before = self._frames.pop(key, (None, 0))
            self._frames[key] = (frame, size)
            self._bytes += size - before
            while self._bytes > self._bytes_max:
                _, (_, gone) = self._frames.popitem(last=False)
                self._bytes -= gone


class FinishedCache:
    """The last answers, for those that are asked again about the same. Safe across threads."""

    def __init__(self, entries_max: int = 128) -> None:
        self._entries_max = entries_max
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def get(self, key: Hashable, links: Links) -> Finished | None:
        """What was made of `key`, unless a device that it asked about has another user now."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
        if kept.devices is not None and links.version(kept.devices) != kept.links_version:
            return None
        return kept.finished

    def put(self, key: Hashable, finished: Finished, links: Links) -> None:
        """Keeps it; `links` are those that it was made with."""
        devices = links.asked
        version = None if devices is None else links.version(devices)
        with self._lock:
            self._kept[key] = _Kept(finished, devices, version)
            if len(self._kept) > self._entries_max:
                self._kept.popitem(last=False)


class _Kept(NamedTuple):
    finished: Finished
    devices: pl.Series | None
    """Whose users it depends on; None: on nobody's."""
    links_version: Hashable
