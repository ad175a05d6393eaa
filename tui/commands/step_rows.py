"""Steps as rows: a step each, of everybody or of each breakdown value."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from store.analytics.funnel.gaps import by_key, gaps, groups_of, identity
from store.analytics.shapes import Result, Row, StepGroup, Steps, StepShare, Table
from store.timespan import iso

_NUMBERS: Final = ("count", "conversion", "conversion_from_previous", "drop_off", "still_possible")
_TIMES: Final = ("median_seconds", "mean_seconds")
_DIFFERENCE: Final = ("difference", "difference_low", "difference_high")


def as_rows(result: Result | None, previous: Result | None = None) -> Result | None:
    """Steps as a table, keyed by the step's number beside the breakdown values; who came how far
    and other windows are its summary. With those of the span before, it has the differences to
    them. Any other result as it is.
    """
    if not isinstance(result, Steps):
        return result
    before = by_key(previous) if isinstance(previous, Steps) else None
    rows = [row for group in groups_of(result) for row in _rows(group, before)]
    summary: dict[str, Any] = {}
    if result.users is not None:
        summary["users"] = [
            {
                "user": name,
                "level": user.level,
                "step_times": " ".join("-" if at is None else iso(at) for at in user.step_times),
            }
            for name, user in result.users.items()
        ]
    if result.windows:
        summary["sensitivity"] = [
            {"window_seconds": seconds, "conversion": share} for seconds, share in result.windows
        ]
    differences = () if before is None else _DIFFERENCE
    return Table(("step", *_NUMBERS, *_TIMES, *differences), rows, summary)


def _rows(
    group: StepGroup, before: Mapping[tuple[Any, ...], Sequence[StepShare]] | None
) -> list[Row]:
    values = [_values(step) for step in group.steps]
    old = before.get(identity(group)) if before else None
    if old:
        found = [dict(zip(_DIFFERENCE, gap, strict=True)) for gap in gaps(group.steps, old)]
        values = [{**value, **gap} for value, gap in zip(values, found, strict=True)]
    return [
        Row({**group.key, "at": str(at)}, value, folded=group.folded)
        for at, value in enumerate(values, 1)
    ]


def _values(step: StepShare) -> Mapping[str, Any]:
    return {"step": step.name, **{name: getattr(step, name) for name in (*_NUMBERS, *_TIMES)}}
