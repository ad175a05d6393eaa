"""Which attribute values explain a finding: pure comparison of the answers of `explain`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from store.analytics.explain import SINCE
from store.analytics.findings import Finding
from store.analytics.shapes import Answer, Row, Table

SHARE_MIN: Final = 0.5
"""A value that less than half of the events have explains little."""
LIFT_MIN: Final = 0.15
"""So much more frequent than among the others it must be."""
# What people ask about first.
_FIRST: Final = ("service_version", "message", "user_id", "component")


@dataclass(frozen=True, slots=True)
class Reason:
    """What the events of a finding have in common."""

    attributes: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    since: datetime | None = None
    only_user: str = ""
    """The user, if they all are of one."""


def told_apart(found: Sequence[Finding], now: Answer, before: Answer) -> dict[str, Reason]:
    """By name. Slow events and errors are compared with the name's others, the rest with the
    events of that name before; what is new can be compared with nothing.
    """
    rows, earlier = _by_name(now), _by_name(before)
    return {
        finding.name: _reason(finding, rows[finding.name], earlier.get(finding.name, []))
        for finding in found
        if finding.name in rows
    }


def _by_name(answer: Answer) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in cast(Table, answer.result).rows:
        found.setdefault(row.key["event_name"], []).append(row)
    return found


def _reason(finding: Finding, rows: Sequence[Row], earlier: Sequence[Row]) -> Reason:
    is_apart = finding.kind in ("errors", "p95")
    before = {row.values["attribute"]: row.values for row in earlier}
    telling = []
    for row in rows:
        values = row.values
        if values["attribute"] == SINCE:
            continue
        base = values["share_else"] if is_apart else _share_before(values, before)
        lift = values["share"] - (base or 0.0)
        if values["share"] < SHARE_MIN or lift < LIFT_MIN:
            continue
        telling.append((_rank(values["attribute"]), -lift, values))
    shown = [
        {name: values[name] for name in ("attribute", "value", "share")}
        for _, _, values in sorted(telling, key=lambda each: each[:2])
    ]
    by_attribute = {row.values["attribute"]: row.values for row in rows}
    since = by_attribute[SINCE]["value"] if is_apart and SINCE in by_attribute else None
    user = by_attribute.get("user_id")
    is_one = user is not None and user["distinct"] == 1 and user["share"] == 1.0
    return Reason(shown, since, user["value"] if user and is_one else "")


def _rank(attribute: str) -> int:
    return _FIRST.index(attribute) if attribute in _FIRST else len(_FIRST)


def _share_before(values: Mapping[str, Any], before: Mapping[str, Mapping[str, Any]]) -> float:
    """The value's share among the earlier events; where another one was the most frequent, at most
    the share of that, and what it left over.
    """
    other = before.get(values["attribute"])
    if other is None:
        return 0.0
    share: float = other["share"]
    return share if other["value"] == values["value"] else min(share, 1.0 - share)
