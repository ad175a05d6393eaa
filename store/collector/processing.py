"""Runs the processors over what was decoded: over several deliveries at once where they share a
frame, since a look at each column costs the more the fewer events it has.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import polars as pl

from store.collector.processors.processor import Processed, Processor
from store.normalise import Decoded, Shared


class Processing:
    """From any thread; the processors see one frame at a time."""

    def __init__(self, processors: Sequence[Processor]) -> None:
        self._processors = processors
        self._lock = threading.Lock()
        self._pieces: WeakKeyDictionary[Shared, list[Processed]] = WeakKeyDictionary()
        """Of the frames that are shared, for as long as a delivery comes for its piece."""

    def __call__(self, decoded: Decoded) -> Processed:
        """The events that go on, and what became of the others."""
        with self._lock:
            if decoded.shared is None:
                return self._run(decoded.events)
            if decoded.shared not in self._pieces:
                self._pieces[decoded.shared] = self._run_together(decoded.shared)
            return self._pieces[decoded.shared][decoded.place]

    def _run(self, events: pl.DataFrame) -> Processed:
        whole = Processed(events)
        for processor in self._processors if events.height else ():
            done = processor(whole.events)
            whole = Processed(
                done.events,
                whole.filtered + done.filtered,
                whole.sampled_out + done.sampled_out,
                whole.duplicate + done.duplicate,
                _sum(whole.reasons, done.reasons),
            )
        return whole

    def _run_together(self, shared: Shared) -> list[Processed]:
        """Of each piece; what is counted by rule goes to the first, since the tally adds them up."""
        done = self._run(shared.events)
        if done.events.height != shared.events.height:  # nobody says whose events are gone
            return [self._run(piece.events) for piece in shared.apart()]
        pieces = [Processed(piece.events) for piece in Shared(done.events, shared.heights).apart()]
        return [replace(pieces[0], reasons=done.reasons), *pieces[1:]]


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return Counter(one) + Counter(other) if one and other else one or other
