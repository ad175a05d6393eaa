"""What was once computed from parts: kept while there is room, least recently used first out."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, NamedTuple

import polars as pl

from store.analytics.links import Links
from store.analytics.shapes import Finished

ENTRY_SHARE_MAX: Final = 6
"""No entry may take more than one in so many of the cache's bytes."""
_ENTRY_BYTES: Final = 1_000
"""What an entry takes beside its values: the key, and the frame's own objects."""

_PLACES_MORE: Final = 64
"""So many more places than entries are known before those are forgotten whose entries went."""


class PartialCache:
    """Frames by key, up to a number of bytes. Safe across threads."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._frames: OrderedDict[Hashable, tuple[pl.DataFrame, int]] = OrderedDict()
        self._bytes = 0
        self._placed: dict[Hashable, Hashable] = {}

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

    def put(self, key: Hashable, frame: pl.DataFrame, *, place: Hashable = None) -> None:
        """Keeps it, unless it is too large to be worth the others' room; if a place is named, instead
        of what was put there before: what lacks the newest part is not asked for again.
        """
        size = int(frame.estimated_size()) + _ENTRY_BYTES
        with self._lock:
            if place is not None and self._placed.get(place, key) != key:
                self._drop(self._placed.pop(place))
            if size * ENTRY_SHARE_MAX > self._bytes_max:
                return
            self._drop(key)
            self._frames[key] = (frame, size)
            self._bytes += size
            while self._bytes > self._bytes_max:
                self._drop(next(iter(self._frames)))
            if place is not None:
                self._placed[place] = key
            if len(self._placed) > len(self._frames) + _PLACES_MORE:
                placed = self._placed.items()
                self._placed = {place: key for place, key in placed if key in self._frames}

    def _drop(self, key: Hashable) -> None:
        _, size = self._frames.pop(key, (None, 0))
        self._bytes -= size


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
