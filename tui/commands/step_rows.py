"""Steps as rows: a step each, of everybody or of each breakdown value."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from store.analytics.shapes import Result, Row, Steps, StepShare, Table
from store.timespan import iso

_NUMBERS: Final = ("count", "conversion", "conversion_from_previous", "drop_off", "still_possible")
_TIMES: Final = ("median_seconds", "mean_seconds")


def as_rows(result: Result | None) -> Result | None:
    """Steps as a table, keyed by the step's number beside the breakdown values; who came how far
    and other windows are its summary. Any other result as it is.
    """
    if not isinstance(result, Steps):
        return result
    rows = [] if result.groups else _rows({}, result.steps, folded=False)
    for group in result.groups:
        rows += _rows(group.key, group.steps, folded=group.folded)
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
    return Table(("step", *_NUMBERS, *_TIMES), rows, summary)


def _rows(key: Mapping[str, str], steps: Sequence[StepShare], *, folded: bool) -> list[Row]:
    return [
        Row({**key, "at": str(at)}, _values(step), folded=folded)
        for at, step in enumerate(steps, 1)
    ]


def _values(step: StepShare) -> Mapping[str, Any]:
    return {"step": step.name, **{name: getattr(step, name) for name in (*_NUMBERS, *_TIMES)}}
