"""The protocols that programs speak to the collector, one a file."""

from typing import Final

from store.collector.intake.datadog import DatadogIntake
from store.collector.intake.honeycomb import HoneycombIntake
from store.collector.intake.intake import Delivery, Intake, Reply, Request, plain_refusal
from store.collector.intake.native import NativeIntake
from store.collector.intake.otlp import OtlpIntake
from store.collector.intake.posthog import PosthogIntake
from store.collector.intake.segment import SegmentIntake
from store.collector.intake.sentry import SentryIntake
from store.collector.intake.statsd import StatsdIntake

INTAKES: Final[tuple[Intake, ...]] = (
    NativeIntake(),
    OtlpIntake(),
    HoneycombIntake(),
    DatadogIntake(),
    SegmentIntake(),
    PosthogIntake(),
    SentryIntake(),
    StatsdIntake(),
)
"""The server routes by their `routes`."""

__all__ = ["INTAKES", "Delivery", "Intake", "Reply", "Request", "plain_refusal"]
