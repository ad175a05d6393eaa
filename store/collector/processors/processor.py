"""What a processor is: a frame of events in, a frame of events out, with what it dropped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl


@dataclass(frozen=True, slots=True)
class Processed:
    """The events that go on, and what became of the others."""

    events: pl.DataFrame
    filtered: int = 0
    sampled_out: int = 0
    duplicate: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """What to count by rule, such as `masked.password`."""


class Processor(Protocol):
    """One step between the door and the disk; PROCESSORS lists them in their order."""

    name: str

    def __call__(self, events: pl.DataFrame) -> Processed:
        """Pure but for its own memory; called from one thread at a time."""
        ...
