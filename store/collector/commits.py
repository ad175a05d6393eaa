"""A commit: many deliveries into few parts, duplicates told apart, the tally along with them."""

import logging
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from store.collector.duplicates import SeenIds, id_hashes
from store.collector.gathering import Gathered, gathered
from store.collector.ledger import Ledger
from store.collector.queue import Waiting
from store.collector.refused import Refused, internal, place_of, try_later
from store.collector.sinks.sink import Sink
from store.errors import StoreError
from store.parts.part import Part
from store.tally import Receipt, Tally

LOG: Final = logging.getLogger("eventdeck.collector")
Outcome = Receipt | Refused
Shares = Sequence[tuple[int, Receipt]]
"""(index of the delivery, what became of its events in this piece)"""


class Committer:
    """Stores what waited; its methods are called from the commit thread, one at a time."""

    def __init__(self, sink: Sink, seen: SeenIds, ledger: Ledger, *, part_events_max: int) -> None:
        self.ledger = ledger
        self.seconds: deque[float] = deque(maxlen=1000)
        """How long the last commits took."""
        self.commits = 0
        self.parts = 0
        self.bytes = 0
        self.events = 0
        self.fault = ""
        """Why the last commit failed; empty when it did not."""
        self._sink = sink
        self._seen = seen
        self._part_events_max = part_events_max

    def commit(self, batch: Sequence[Waiting]) -> list[Outcome]:
        """What became of each delivery; everything that a receipt calls stored is durable."""
        begun = time.perf_counter()
        # Senders write in the order of time. Put so, what they wrote need not be sorted any more.
        order = sorted(range(len(batch)), key=lambda place: batch[place].events["event_time"][0])
        ordered = [batch[place] for place in order]
        outcomes = dict(zip(order, self._outcomes(ordered), strict=True))
        self.seconds.append(time.perf_counter() - begun)
        self.commits += 1
        return [outcomes[place] for place in range(len(batch))]

    def commit_tally(self) -> None:
        """Makes what was counted without events durable, if there is any."""
        if self.ledger.age is not None:
            self.ledger.commit(Tally(), lambda delta: self._sink.write(pl.DataFrame(), delta))

    def _outcomes(self, batch: Sequence[Waiting]) -> list[Outcome]:
        outcomes: list[Outcome] = [waiting.receipt for waiting in batch]
        pieces = gathered([waiting.events for waiting in batch], self._part_events_max)
        last_piece = {
            source: place for place, piece in enumerate(pieces) for source in piece.sources
        }
        for place, piece in enumerate(pieces):
            ends = {source for source in piece.sources if last_piece[source] == place}
            self._store(piece, _Batch(batch, outcomes, ends))
        return outcomes

    def _store(self, piece: Gathered, batch: "_Batch") -> None:
        """Stores one part's worth and adds to the outcomes of the deliveries in it."""
        try:
            fresh, shares = self._judged(piece)
            parts = self._written(fresh, batch.delta(shares))
        except StoreError as error:
            self.fault = str(error)
            batch.fail(piece, try_later("store", self.fault))
        except Exception as error:  # noqa: BLE001
            if len(piece.sources) > 1:  # one delivery shall not cost the others theirs
                for alone in piece.apart():
                    self._store(alone, batch)
                return
            LOG.error("a delivery could not be stored: %s", place_of(error))  # noqa: TRY400
            batch.fail(piece, internal())
        else:
            self._remember(fresh, parts)
            batch.add(shares)

    def _judged(self, piece: Gathered) -> tuple["_Fresh", Shares]:
        """The events that are new, and what becomes of each delivery's if they are stored."""
        hashes = id_hashes(piece.events)
        again = self._seen.repeated(piece.events, hashes)
        if again is None:
            return _Fresh(piece.events, hashes), _shares(piece, None)
        fresh = piece.events.filter(~again)
        return _Fresh(fresh, id_hashes(fresh)), _shares(piece, again)

    def _written(self, fresh: "_Fresh", delta: Tally) -> Sequence[Part]:
        if not fresh.events.height:
            self.ledger.add(delta)
            return ()
        try:
            return self.ledger.commit(delta, lambda whole: self._sink.write(fresh.events, whole))
        except BaseException:
            self._seen.forget(fresh.hashes)
            raise

    def _remember(self, fresh: "_Fresh", parts: Sequence[Part]) -> None:
        self.fault = ""
        self._seen.remember(fresh.events, fresh.hashes, parts)
        self.parts += len(parts)
        self.bytes += sum(part.size_bytes for part in parts)
        self.events += fresh.events.height


class _Fresh(NamedTuple):
    """Events that are not stored yet, and the hashes of their ids."""

    events: pl.DataFrame
    hashes: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Batch:
    """The deliveries of one commit, and what became of each so far."""

    waiting: Sequence[Waiting]
    outcomes: list[Outcome]
    ends: Collection[int]
    """Those whose last events are in the piece at hand: its part takes the rest of their tally."""

    def delta(self, shares: Shares) -> Tally:
        """What the piece adds to the store's tally."""
        counted = (Tally.of(r, intake=self.waiting[source].intake) for source, r in shares)
        rest = (self.waiting[source].tally for source, _ in shares if source in self.ends)
        return Tally.total((*counted, *rest))

    def add(self, shares: Shares) -> None:
        for source, share in shares:
            before = self.outcomes[source]
            if isinstance(before, Receipt):
                self.outcomes[source] = before + share

    def fail(self, piece: Gathered, refused: Refused) -> None:
        for source in piece.sources:
            self.outcomes[source] = refused


def _shares(piece: Gathered, again: pl.Series | None) -> Shares:
    """What became of each delivery's events in the piece."""
    if again is None:
        return [(s, Receipt(stored=n)) for s, n in zip(piece.sources, piece.heights, strict=True)]
    repeated = ((source, share.len(), int(share.sum())) for source, share in piece.shares(again))
    return [(source, Receipt(stored=n - r, duplicate=r)) for source, n, r in repeated]
