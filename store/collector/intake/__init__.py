"""The protocols that programs speak to the collector, one a file."""

from typing import Final

from store.collector.intake.beacon import BeaconIntake
from store.collector.intake.cloudevents import CloudEventsIntake
from store.collector.intake.datadog import DatadogIntake
from store.collector.intake.elastic import ElasticIntake
from store.collector.intake.honeycomb import HoneycombIntake
from store.collector.intake.intake import Delivery, Intake, Reply, Request, plain_refusal
from store.collector.intake.log import LogIntake
from store.collector.intake.loki import LokiIntake
from store.collector.intake.native import NativeIntake
from store.collector.intake.otlp import OtlpIntake
from store.collector.intake.posthog import PosthogIntake
from store.collector.intake.rill import RillIntake
from store.collector.intake.segment import SegmentIntake
from store.collector.intake.sentry import SentryIntake
from store.collector.intake.statsd import StatsdIntake

INTAKES: Final[tuple[Intake, ...]] = (
    CloudEventsIntake(),
    RillIntake(),
    BeaconIntake(),
    NativeIntake(),
    OtlpIntake(),
    HoneycombIntake(),
    DatadogIntake(),
    SegmentIntake(),
    PosthogIntake(),
    SentryIntake(),
    StatsdIntake(),
    LokiIntake(),
    ElasticIntake(),
    LogIntake(),
)
"""The server routes by their `routes`; where some share a path, the first that takes a request
has it.
"""

__all__ = ["INTAKES", "Delivery", "Intake", "Reply", "Request", "plain_refusal"]
