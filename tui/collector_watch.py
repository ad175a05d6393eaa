"""Asks the collector how it does, over HTTP; blocking, for a worker thread."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tui.messages import StatsRead

TIMEOUT_SECONDS: Final = 2.0


def read_stats(url: str) -> StatsRead:
    """What stands at `/v1/stats` and `/v1/tally`; None for what does not answer."""
    return StatsRead(url, _json(f"{url}/v1/stats"), _json(f"{url}/v1/tally"))


def _json(url: str) -> Mapping[str, Any] | None:
    # Late: it costs 30 ms, and Health is not what one sees first.
    from urllib.request import ProxyHandler, build_opener

    # A proxy from the environment must not see what goes to loopback.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            document = json.load(answer)
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def own_memory_bytes() -> int | None:
    """What of this process is resident; None where the platform does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
