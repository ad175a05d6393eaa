"""The protocols that programs speak to the collector, one a file."""

from typing import Final

from store.collector.intake.intake import Delivery, Intake, Reply, Request, plain_refusal
from store.collector.intake.native import NativeIntake
from store.collector.intake.otlp import OtlpIntake
from store.collector.intake.statsd import StatsdIntake

INTAKES: Final[tuple[Intake, ...]] = (NativeIntake(), OtlpIntake(), StatsdIntake())
"""The server routes by their `routes`."""

__all__ = ["INTAKES", "Delivery", "Intake", "Reply", "Request", "plain_refusal"]
