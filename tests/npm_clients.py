"""Clients from npm, unmodified, against a collector; what they sent is read back from the store.

    python -m tests.npm_clients

On demand, for it needs Node.js with npm, and downloads. One line a client; the exit code is 1 when
something that was sent is not there as it was sent.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from store.event_store import EventStore
from store.settings import OFF, CollectorSettings, Settings
from tests.collecting import collecting

COUNT = 300


class Client(NamedTuple):
    packages: Sequence[str]
    code: str
    """Sends COUNT events to ADDRESS and ends when they were taken."""
    event: Mapping[str, Any]
    """What the event with the number 7 is to be, among other things."""
    number: str = "n"
    """The attribute that holds the number."""


CLIENTS: Mapping[str, Client] = {
    "posthog": Client(
        ["posthog-node"],
        """
        const { PostHog } = require('posthog-node')
        const client = new PostHog('key', { host: ADDRESS, flushAt: 20 })
        for (let n = 0; n < COUNT; n++)
          client.capture({ distinctId: `u${n}`, event: 'paid', properties: { n, plan: 'pro', deep: { a: [1] } } })
        client.shutdown()""",
        {"event_name": "paid", "plan": "pro", "deep.a": "[1]"},
    ),
    "segment": Client(
        ["@segment/analytics-node"],
        """
        const { Analytics } = require('@segment/analytics-node')
        const client = new Analytics({ writeKey: 'key', host: ADDRESS, maxEventsInBatch: 20 })
        for (let n = 0; n < COUNT; n++)
          client.track({ userId: `u${n}`, event: 'paid', properties: { n, plan: 'pro' } })
        client.closeAndFlush()""",
        {"event_name": "paid", "plan": "pro", "user_id": "u7"},
    ),
    "sentry": Client(
        ["@sentry/node"],
        """
        const Sentry = require('@sentry/node')
        Sentry.init({ dsn: `http://key@${ADDRESS.slice(7)}/1`, release: 'shop@1.2', defaultIntegrations: false })
        ;(async () => {
          for (let n = 0; n < COUNT; n++) {
            Sentry.captureMessage('paid', { level: 'warning', extra: { n }, user: { id: `u${n}` } })
            if (n % 20 == 19) await Sentry.flush(10000)
          }
          await Sentry.close(10000)
        })()""",
        {"message": "paid", "user_id": "u7", "severity": 13},
        "extra.n",
    ),
    "otlp": Client(
        [
            "@opentelemetry/api-logs",
            "@opentelemetry/sdk-logs",
            "@opentelemetry/exporter-logs-otlp-http",
        ],
        """
        const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs')
        const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-http')
        const exporter = new OTLPLogExporter({ url: ADDRESS + '/v1/logs' })
        const processor = new BatchLogRecordProcessor({ exporter })
        const provider = new LoggerProvider({ processors: [processor] })
        const logger = provider.getLogger('shop')
        for (let n = 0; n < COUNT; n++)
          logger.emit({ eventName: 'paid', severityNumber: 13, body: 'hello', attributes: { n, plan: 'pro', big: 12345678901 } })
        provider.shutdown()""",
        {"event_name": "paid", "severity": 13, "message": "hello", "big": 12345678901},
    ),
    "elastic": Client(
        ["@elastic/elasticsearch"],
        """
        const { Client } = require('@elastic/elasticsearch')
        const client = new Client({ node: ADDRESS })
        const datasource = Array.from({ length: COUNT }, (_, n) => ({ n, plan: 'pro', message: 'paid' }))
        client.helpers.bulk({ datasource, onDocument: () => ({ index: { _index: 'shop' } }) })
          .then(done => { if (done.failed) process.exit(1) })""",
        {"message": "paid", "plan": "pro"},
    ),
}


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "package.json").write_text("{}")
        packages = [package for client in CLIENTS.values() for package in client.packages]
        quiet = ["--no-audit", "--no-fund", "--silent"]
        subprocess.run(["npm", "install", *quiet, *packages], cwd=folder, check=True)
        faults = {name: fault_of(name, client, folder) for name, client in CLIENTS.items()}
    for name, fault in faults.items():
        print(f"{name:10} {fault or f'{COUNT} sent, {COUNT} there'}")
    return 1 if any(faults.values()) else 0


def fault_of(name: str, client: Client, folder: Path) -> str:
    """What was not as it should be; "" when all was."""
    store = folder / name
    settings = Settings(store, CollectorSettings(port=0, grpc_port=OFF, statsd_port=OFF))
    with collecting(settings) as collector:
        url = json.dumps(f"http://127.0.0.1:{collector.port}")
        code = f"const ADDRESS = {url}, COUNT = {COUNT}\n{client.code}"
        done = subprocess.run(
            ["node", "-e", code],
            cwd=folder,
            env={**os.environ, "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    events = EventStore(store).events().collect()
    if done.returncode or client.number not in events.columns:
        return f"exit code {done.returncode}, {events.height} there: {done.stderr[-300:]}"
    numbers = sorted(int(float(n)) for n in events[client.number].drop_nulls())
    if numbers != list(range(COUNT)):
        return f"{COUNT} sent, {len(numbers)} there, {len(set(numbers))} different"
    seventh = events.filter(events[client.number].cast(float) == 7).row(0, named=True)
    wrong = {
        key: seventh.get(key) for key, value in client.event.items() if seventh.get(key) != value
    }
    return f"differs: {wrong}" if wrong else ""


if __name__ == "__main__":
    sys.exit(main())
