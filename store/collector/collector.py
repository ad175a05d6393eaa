"""The collector: deliveries in, one durable commit for all that wait, a receipt for each."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import polars as pl

from store.collector.commits import Committer, Outcome
from store.collector.dead_letters.box import DeadLetters, Nowhere
from store.collector.processing import Processing
from store.collector.processors.processor import Processor
from store.collector.queue import EventQueue, Waiting
from store.collector.refused import Refused, try_later
from store.errors import StoreError
from store.normalise import Decoded
from store.settings import CollectorSettings
from store.tally import ERRORS_SHOWN_MAX, Receipt, Refusal, Tally

T = TypeVar("T")

LOG: Final = logging.getLogger("eventdeck.collector")
# Refusals alone wait so long for a commit to ride with; they are looked for as often.
TALLY_DELAY_SECONDS: Final = 0.5
# So long a commit waits for more at the most: 10 % more in the intake's bench.
GATHER_SECONDS: Final = 0.02
LOOK_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded delivery after the processors."""

    events: pl.DataFrame
    receipt: Receipt
    """What became of the others: rejected, filtered, sampled out, repeated."""
    reasons: Mapping[str, int]
    intake: str


class Collector:
    """Decoded deliveries -> processors -> queue -> group commit -> receipts.

    A receipt comes after everything that it calls stored is durable, and never before. Native
    events without an id of their own are stored at least once; with one, exactly once.
    """

    def __init__(
        self,
        settings: CollectorSettings,
        committer: Committer,
        processors: Sequence[Processor],
        *,
        coming: Callable[[], int] = lambda: 0,
        settling: Callable[[], int] = lambda: 0,
        dead_letters: DeadLetters | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`coming` is the number of deliveries that are being decoded, `settling` that of those
        which are decoded and about to be accepted; `dead_letters` take what is rejected; `now`
        gives seconds on a clock that never steps.
        """
        self.queue = EventQueue(settings, now)
        self.committer = committer
        self.dead_letters = dead_letters or Nowhere()
        self._processing = Processing(processors)
        self._coming = coming
        self._settling = settling
        self._now = now
        self._arrived = asyncio.Event()
        self._closing = False
        self.is_committing = False
        """Whether what is decoded now has to wait."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def prepare(self, decoded: Decoded, intake: str, body: bytes = b"") -> Prepared:
        """Runs the processors; from any thread, and one delivery at a time. `body` is what it was
        decoded from: what was refused in it goes to the dead letters.
        """
        self.dead_letters.put(intake, decoded.refusals, body)
        reasons = Counter(f"rejected.{refusal.reason}" for refusal in decoded.refusals)
        rejected = reasons.total()
        done = self._processing(decoded)
        reasons.update(done.reasons)
        receipt = Receipt(
            0,
            done.filtered,
            done.sampled_out,
            done.duplicate,
            rejected,
            errors=tuple(decoded.refusals[:ERRORS_SHOWN_MAX]),
        )
        return Prepared(done.events, receipt, reasons, intake)

    async def accept(self, prepared: Prepared) -> Receipt:
        """What became of the delivery, once that is durable; Refused when it cannot be kept."""
        receipt = prepared.receipt
        tally = Tally.of(receipt, intake=prepared.intake, reasons=prepared.reasons)
        if self._closing:
            raise _stopping()
        if not prepared.events.height:
            self.committer.ledger.add(tally)
            return receipt
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        waiting = Waiting(
            prepared.events, receipt, tally, prepared.intake, answer, arrived=self._now()
        )
        for dropped in self.queue.put(waiting):
            self._drop(dropped)
        self._arrived.set()
        return await answer

    def reject(self, refused: Refused, intake: str) -> Receipt:
        """The receipt of a body that could not be taken at all; it counts as one rejected."""
        receipt = Receipt(rejected=1, errors=(Refusal("body", refused.fault, refused.reason),))
        self.dead_letters.put(intake, receipt.errors, b"")
        self.committer.ledger.add(
            Tally.of(receipt, intake=intake, reasons={f"rejected.{refused.reason}": 1})
        )
        return receipt

    async def tally(self) -> dict[str, Any]:
        """The store's tally; waits for the commit in progress."""
        total = await asyncio.get_running_loop().run_in_executor(None, self.committer.ledger.total)
        return total.as_json()

    async def health(self) -> dict[str, Any]:
        """Refused (503) when a delivery would not be taken now."""
        if self._closing:
            raise _stopping()
        return {"status": "ok"}

    async def run(self) -> None:
        """Commits what waits, until `close`; what arrives during a commit makes up the next."""
        while not self._closing or self.queue:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TALLY_DELAY_SECONDS):
                    await self._arrived.wait()
            if not self._closing:
                self._arrived.clear()
            if self.queue:
                await self._gather()
                await self._commit()
            if (self.committer.ledger.age or 0) >= TALLY_DELAY_SECONDS:
                await self._in_thread(self._commit_tally)
        await self._in_thread(self._commit_tally)
        await self._in_thread(self.dead_letters.close)
        self._thread.shutdown()

    def close(self) -> None:
        """No more deliveries; `run` returns when all that waits is committed."""
        self._closing = True
        self._arrived.set()

    async def _gather(self) -> None:
        """One delivery waits for a second that is on its way, and all for those that were decoded
        along with them: a commit of two costs hardly more than one of one.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                while not self._closing and self._is_worth_waiting():
                    self._arrived.clear()
                    await self._until_more()

    async def _until_more(self) -> None:
        """Or for LOOK_SECONDS: what is on its way may turn out to be nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._arrived.wait()

    def _is_worth_waiting(self) -> bool:
        return self._settling() > 0 or (len(self.queue) == 1 and self._coming() > 0)

    async def _commit(self) -> None:
        batch = self.queue.take_all()
        self.is_committing = True
        try:
            outcomes = await self._in_thread(self.committer.commit, batch)
        finally:
            self.is_committing = False
        for waiting, outcome in zip(batch, outcomes, strict=True):
            _answer(waiting, outcome)

    async def _in_thread(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def _commit_tally(self) -> None:
        try:
            self.committer.commit_tally()
        except StoreError as error:
            LOG.warning("%s", error)

    def _drop(self, waiting: Waiting) -> None:
        count = waiting.events.height
        dropped = Receipt(dropped=count)
        delta = Tally.of(dropped, intake=waiting.intake, reasons={"dropped.queue_full": count})
        self.committer.ledger.add(waiting.tally + delta)
        _answer(waiting, waiting.receipt + dropped)


def _stopping() -> Refused:
    return try_later("stopping", "the collector is stopping; send again in a second")


def _answer(waiting: Waiting, outcome: Outcome) -> None:
    if waiting.answer.done():  # its sender has gone
        return
    if isinstance(outcome, Receipt):
        waiting.answer.set_result(outcome)
    else:
        waiting.answer.set_exception(outcome)
