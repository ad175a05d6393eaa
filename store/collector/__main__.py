"""`python -m store.collector`: the collector that a dashboard starts beside itself.

Reads its settings as JSON from standard input and lives as long as some dashboard is attached to
the store. For people there is `eventdeck collect`.
"""

import json
import sys
from dataclasses import replace

from store.collector.attach import DASHBOARDS_LOCK
from store.collector.presence import Listening, PortTakenError
from store.collector.server import serve
from store.errors import StoreError
from store.parts.lock import FileLock
from store.settings import Settings, settings_from


def main() -> int:
    """0 when the last dashboard has gone, else the error's code."""
    settings = settings_from(json.load(sys.stdin), "standard input")
    dashboards = FileLock(settings.store / DASHBOARDS_LOCK)
    try:
        _serve_somewhere(settings, dashboards)
    except StoreError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    finally:
        # Held to the end: a dashboard that comes now waits, and then starts another collector.
        dashboards.release()
    return 0


def _serve_somewhere(settings: Settings, dashboards: FileLock) -> None:

    def is_left() -> bool:
        try:
            return dashboards.acquire()
        except FileNotFoundError:  # the store itself has been deleted
            return True

    try:
        serve(settings, announce=_say, until=is_left)
    except PortTakenError:
        on_a_free_port = replace(settings, collector=replace(settings.collector, port=0))
        serve(on_a_free_port, announce=_say, until=is_left)


def _say(listening: Listening) -> None:
    print(listening.line(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
