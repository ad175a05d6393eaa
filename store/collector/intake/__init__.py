"""The protocols that programs speak to the collector, one a file."""

from typing import Final

from store.collector.intake.intake import Delivery, Intake, Reply
from store.collector.intake.native import NativeIntake

INTAKES: Final[tuple[Intake, ...]] = (NativeIntake(),)
"""The server routes by their `routes`."""

__all__ = ["INTAKES", "Delivery", "Intake", "Reply"]
