"""What became of events: a receipt for one delivery, a tally over all of them.

One equation holds everywhere, exactly:
received = stored + filtered + sampled_out + duplicate + rejected + dropped
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

ERRORS_SHOWN_MAX: Final = 20
FATES: Final = ("stored", "filtered", "sampled_out", "duplicate", "rejected", "dropped")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One event, line or body that was not taken."""

    place: str
    """Where it stood: `shop.csv:3`, `line 3`, `event 2: duration_ms`."""
    fault: str
    """What is wrong with it, with the value and what would be right."""
    reason: str
    """A short fixed word to count by: `bad_json`, `too_large`, `no_name`, `bad_time`, …"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one delivery; `received` is the sum of the six fates, always."""

    stored: int = 0
    filtered: int = 0
    sampled_out: int = 0
    duplicate: int = 0
    rejected: int = 0
    dropped: int = 0
    errors: tuple[Refusal, ...] = ()
    """The first ERRORS_SHOWN_MAX refusals; all are counted."""

    @property
    def received(self) -> int:
        return sum(getattr(self, fate) for fate in FATES)

    def __add__(self, other: "Receipt") -> "Receipt":
        counts = {fate: getattr(self, fate) + getattr(other, fate) for fate in FATES}
        return Receipt(**counts, errors=(self.errors + other.errors)[:ERRORS_SHOWN_MAX])

    def as_json(self) -> dict[str, Any]:
        """The shape that clients and `import --json` read."""
        return {
            "received": self.received,
            **{fate: getattr(self, fate) for fate in FATES},
            "errors": [{"place": error.place, "fault": error.fault} for error in self.errors],
        }


@dataclass(frozen=True)
class Tally:
    """Running totals over deliveries; adding is associative and commutative.

    The footers of parts carry the delta that their commit brought, so the sum over a store's
    parts is the store's tally, also after a crash.
    """

    fates: Mapping[str, int] = field(default_factory=Counter)
    """fate -> events."""
    intakes: Mapping[str, int] = field(default_factory=Counter)
    """intake -> events received by it."""
    reasons: Mapping[str, int] = field(default_factory=Counter)
    """`rejected.bad_json`, `filtered.allow`, `masked.metadata.password` … -> how many."""

    @classmethod
    def of(cls, receipt: Receipt, *, intake: str, reasons: Mapping[str, int] | None = None) -> Self:
        """The tally of one delivery; `reasons` adds counts beside the fates, such as masking."""
        fates = {fate: getattr(receipt, fate) for fate in FATES if getattr(receipt, fate)}
        return cls(Counter(fates), Counter({intake: receipt.received}), Counter(reasons or {}))

    @classmethod
    def total(cls, tallies: Iterable["Tally"]) -> "Tally":
        """The sum of many."""
        sums = {part.name: Counter[str]() for part in fields(cls)}
        for tally in tallies:
            for name, counts in sums.items():
                counts.update(getattr(tally, name))
        return cls(**sums)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally.total((self, other))

    def __bool__(self) -> bool:
        return any(any(getattr(self, part.name).values()) for part in fields(self))

    @property
    def received(self) -> int:
        return sum(self.fates.values())

    def as_json(self) -> dict[str, Any]:
        """`received` and every fate, then the counts by intake and by reason, sorted."""
        return {
            "received": self.received,
            **{fate: self.fates.get(fate, 0) for fate in FATES},
            "intakes": dict(sorted(self.intakes.items())),
            "reasons": dict(sorted(self.reasons.items())),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Tally":
        """Reads what `as_json` wrote; unknown keys are left aside."""
        fates = Counter({fate: int(document.get(fate, 0)) for fate in FATES if document.get(fate)})
        return cls(
            fates, Counter(document.get("intakes", {})), Counter(document.get("reasons", {}))
        )
