"""What recording an event costs the caller: Client.record beside two peers, in one run.

`python -m tests.benches.bench_client`. The peers are the OpenTelemetry SDK's log emit (batch
processor, an exporter that does nothing) and PostHog's capture (its own thread, a dead host). Ours
goes to a dead host as well. Each makes the same event; a round is timed by the caller's clock and
the median round counts.
"""

import logging
import time
from collections.abc import Callable
from statistics import median

CALLS = 500
ROUNDS = 21
DEAD = "http://127.0.0.1:9"


def us_per_call(call: Callable[[], object]) -> float:
    """The median over rounds; pauses let background threads empty their queues."""
    rounds = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        for _ in range(CALLS):
            call()
        rounds.append((time.perf_counter() - started) / CALLS * 1e6)
        time.sleep(0.05)
    return median(rounds[1:])


def eventdeck() -> float:
    from store.client import Client

    client = Client(url=DEAD, service_name="shop", queue_events_max=100_000, exit_seconds_max=0.1)
    figure = us_per_call(lambda: client.record("behavioral", "signup", user_id="ada", plan="pro"))
    client.close()
    return figure


def opentelemetry() -> float:
    from opentelemetry._logs import SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import (
        BatchLogRecordProcessor,
        LogRecordExporter,
        LogRecordExportResult,
    )
    from opentelemetry.sdk.resources import Resource

    class NoExporter(LogRecordExporter):
        def export(self, batch):
            return LogRecordExportResult.SUCCESS

        def shutdown(self):
            pass

        def force_flush(self, timeout_millis=30000):
            return True

    provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(NoExporter()))
    logger = provider.get_logger("bench")
    figure = us_per_call(
        lambda: logger.emit(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.INFO,
            event_name="signup",
            attributes={"user_id": "ada", "plan": "pro"},
        )
    )
    provider.shutdown()
    return figure


def posthog() -> float:
    from posthog import Posthog

    logging.disable()
    client = Posthog("key", host=DEAD, sync_mode=False, max_queue_size=100_000, max_retries=0)
    figure = us_per_call(
        lambda: client.capture("signup", distinct_id="ada", properties={"plan": "pro"})
    )
    client.shutdown()
    return figure


def main() -> None:
    """Prints each figure and the ratios."""
    ours = eventdeck()
    print(f"{'Client.record':<34}{ours:8.2f} us/call")
    for name, peer in (
        ("OpenTelemetry SDK, log emit", opentelemetry),
        ("PostHog, capture", posthog),
    ):
        theirs = peer()
        print(f"{name:<34}{theirs:8.2f} us/call   {theirs / ours:6.1f} times ours")


if __name__ == "__main__":
    main()
