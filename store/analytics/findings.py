"""What changed between two spans: pure arithmetic over the rows of `names`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store.analytics.shapes import Row, Table
from store.timespan import TimeSpan

SIGMAS_MIN: Final = 4.0
"""How unlikely chance must be: with thousands of names, three sigmas happen by themselves."""
FACTOR_MIN: Final = 1.5
SLOWER_MIN: Final = 1.25
DURATIONS_MIN: Final = 100
"""Below, a p95 is decided by a handful of events."""
GONE_MIN: Final = 10
"""A name must have been there as often before its absence says anything."""
_WEIGHT: Final = {"error": 4.0, "warning": 2.0, "info": 1.0}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was before."""

    name: str
    kind: str
    """`new`, `gone`, `count`, `errors` or `p95`."""
    factor: float | None
    """Now over before; None for `new` and `gone`."""
    now: float
    before: float
    since: datetime | None
    severity: str
    count: int
    """How many events of that name there are now."""
    trend: Sequence[float] = ()

    @property
    def score(self) -> float:
        """What matters most first: errors, large factors, many events."""
        size = abs(math.log(self.factor)) if self.factor else 1.5
        return _WEIGHT[self.severity] * size * math.log2(2 + self.count)


def findings(now: Table, before: Table, span: TimeSpan, seconds_before: float) -> list[Finding]:
    """What stands out, the most telling first; `seconds_before` is how much of the previous span
    had a store at all. One finding for each name, its worst.
    """
    earlier = {_name(row): row for row in before.rows if not row.folded}
    current = {_name(row): row for row in now.rows if not row.folded}
    # A store younger than the previous span saw less of it: counts are compared as rates.
    exposure = seconds_before / span.length.total_seconds() if span.length else 0.0
    if exposure < 0.2 or not earlier:
        return []
    found = [_gone(row) for name, row in earlier.items() if name not in current]
    for name, row in current.items():
        found.append(_worst(row, earlier.get(name), span, exposure))
    return sorted(filter(None, found), key=lambda finding: (-finding.score, finding.name))


def _worst(row: Row, before: Row | None, span: TimeSpan, exposure: float) -> Finding | None:
    if before is None:
        return _finding("new", row, None, row.values["count"], 0, row.values["first_seen"])
    found = (
        _more_errors(row, before),
        _slower(row, before),
        _other_count(row, before, span, exposure),
    )
    return max(filter(None, found), key=lambda finding: finding.score, default=None)


def _gone(row: Row) -> Finding | None:
    count = row.values["count"]
    if count < GONE_MIN:
        return None
    return Finding(
        _name(row), "gone", None, 0, count, row.values["last_seen"], _severity(row), int(count)
    )


def _other_count(row: Row, before: Row, span: TimeSpan, exposure: float) -> Finding | None:
    count, expected = row.values["count"], before.values["count"] / exposure
    factor = count / expected
    sigmas = abs(count - expected) / math.sqrt(count + expected / exposure)
    if sigmas < SIGMAS_MIN or 1 / FACTOR_MIN < factor < FACTOR_MIN:
        return None
    return _finding("count", row, factor, count, expected, turning_point(row.values["trend"], span))


def _more_errors(row: Row, before: Row) -> Finding | None:
    share, share_before = row.values["error_share"], before.values["error_share"]
    if share is None or share_before is None or share - share_before < 0.01:
        return None
    events, events_before = row.values["count"], before.values["count"]
    pooled = (share * events + share_before * events_before) / (events + events_before)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / events + 1 / events_before))
    least = max(share_before, 1 / events_before)
    factor = share / least
    if not deviation or (share - share_before) / deviation < SIGMAS_MIN or factor < FACTOR_MIN:
        return None
    return _finding("errors", row, factor, share, share_before, None)


def _slower(row: Row, before: Row) -> Finding | None:
    p95, p95_before = row.values["p95"], before.values["p95"]
    events = min(row.values["count"], before.values["count"])
    if not p95 or not p95_before or p95 < 0 or p95_before < 0 or events < DURATIONS_MIN:
        return None
    factor = p95 / p95_before
    # A p95 of n events wavers by about 1/sqrt(n/20) of the tail's own spread.
    least = 1 + (SLOWER_MIN - 1) * max(1.0, math.sqrt(1_000 / events))
    if 1 / least < factor < least:
        return None
    return _finding("p95", row, factor, p95, p95_before, None)


def _finding(
    kind: str,
    row: Row,
    factor: float | None,
    now: float,
    before: float,
    since: datetime | None,
) -> Finding:
    severity = _severity(row)
    if kind == "errors":
        severity = "error"
    elif kind == "p95" and severity == "info" and (factor or 0) > 1:
        severity = "warning"
    trend = row.values["trend"] if kind in ("count", "new") else ()
    return Finding(
        _name(row), kind, factor, now, before, since, severity, int(row.values["count"]), trend
    )


def turning_point(counts: Sequence[float], span: TimeSpan) -> datetime | None:
    """When counts went from one level to another: where their running sum strays most from a
    straight line. None when they were at the new level all along.
    """
    if not counts:
        return None
    mean = sum(counts) / len(counts)
    strays, total = [], 0.0
    for at, count in enumerate(counts):
        total += count
        strays.append(abs(total - mean * (at + 1)))
    turn = max(range(len(counts)), key=strays.__getitem__) + 1
    after, before = counts[turn:], counts[:turn]
    if not after:
        return None
    levels = sum(before) / len(before), sum(after) / len(after)
    if min(levels) * FACTOR_MIN > max(levels):
        return None
    return span.start + span.length * turn / len(counts)


def in_eighths(counts: Sequence[float], points: int = 8) -> list[float]:
    """The counts added up to fewer points; `points` divides their number."""
    width = len(counts) // points
    return [sum(counts[at * width : (at + 1) * width]) for at in range(points)] if width else []


def _name(row: Row) -> str:
    return row.key["event_name"]


def _severity(row: Row) -> str:
    return "error" if (row.values["error_share"] or 0) >= 0.5 else "info"
