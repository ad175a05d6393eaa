"""How the collector is doing at this moment, for the Health screen: `GET /v1/stats`."""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from store.collector.bodies import Budget
from store.collector.collector import Collector
from store.collector.decoders import Decoders
from store.collector.maintaining import Maintaining


class Stats:
    """Reads the numbers where they are kept; nothing is computed before somebody asks."""

    def __init__(
        self,
        collector: Collector,
        budget: Budget,
        decoders: Decoders,
        maintaining: Maintaining,
        intakes: Sequence[str],
    ) -> None:
        self._collector = collector
        self._budget = budget
        self._decoders = decoders
        self._maintaining = maintaining
        self._intakes = list(intakes)
        self.refused: Counter[str] = Counter()
        """Requests turned away, by reason; the app counts here."""
        self._begun = time.monotonic()

    async def as_json(self) -> dict[str, Any]:
        """Milliseconds, seconds and bytes as the names say; counts are since the start."""
        queue, committer = self._collector.queue, self._collector.committer
        seconds = sorted(committer.seconds)
        return {
            "queue": {
                "deliveries": len(queue),
                "events": queue.events,
                "events_max": queue.events_max,
                "oldest_seconds": round(queue.oldest_age, 3),
            },
            "commits": {
                "count": committer.commits,
                "parts": committer.parts,
                "events": committer.events,
                "bytes": committer.bytes,
                "p50_ms": _milliseconds(seconds, 0.50),
                "p99_ms": _milliseconds(seconds, 0.99),
                "fault": committer.fault,
            },
            "bodies_bytes": self._budget.bytes,
            "decoder_pid": self._decoders.helper_pid,
            "maintenance": self._maintaining.last_round(),
            "dead_letters": self._collector.dead_letters.as_json(),
            "refused": dict(sorted(self.refused.items())),
            "intakes": self._intakes,
            "rss_bytes": rss_bytes(),
            "uptime_seconds": round(time.monotonic() - self._begun, 3),
            "pid": os.getpid(),
        }


def rss_bytes() -> int:
    """Memory of this process that is resident; at its peak where the platform tells no more."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _peak_rss_bytes()


def _peak_rss_bytes() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _milliseconds(ordered: Sequence[float], rank: float) -> float | None:
    """The value at that share of the sorted seconds; None without any."""
    if not ordered:
        return None
    return round(ordered[min(int(len(ordered) * rank), len(ordered) - 1)] * 1000, 2)
