"""How far the conversions of a funnel are from what they were before, and how sure that is."""

from collections.abc import Sequence
from typing import Any

from store.analytics.shapes import StepGroup, Steps, StepShare
from store.analytics.shares import Gap, Share, newcombe, wilson


def gaps(now: Sequence[StepShare], before: Sequence[StepShare]) -> Sequence[Gap]:
    """How each step's conversion differs from what it was before; nothing of the first one's, which
    is all of it. Who may still come counts as not come, as in the conversion itself.
    """
    nothing = Gap(None, None, None)
    pairs = zip(_of_first(now), _of_first(before), strict=True)
    return [newcombe(*pair) if at else nothing for at, pair in enumerate(pairs)]


def by_key(steps: Steps) -> dict[tuple[Any, ...], Sequence[StepShare]]:
    """The steps of each breakdown value by its `identity`; without one, those of everybody."""
    return {identity(group): group.steps for group in groups_of(steps)}


def groups_of(steps: Steps) -> Sequence[StepGroup]:
    """Those of the breakdown values; without one, that of everybody."""
    return steps.groups or (StepGroup({}, steps.steps),)


def identity(group: StepGroup) -> tuple[Any, ...]:
    """What it is known by before and after."""
    return (group.folded, *sorted(group.key.items()))


def compared(now: Steps, before: Steps) -> dict[str, Any]:
    """`steps` with the `difference` of each conversion and `difference_interval`: where the true one
    lies at 95 %; and `breakdown` of the values that are in both.
    """
    told: dict[str, Any] = {"steps": _json(now.steps, before.steps)}
    if now.groups:
        known = by_key(before)
        told["breakdown"] = [
            {
                "key": dict(group.key),
                **({"folded": True} if group.folded else {}),
                "steps": _json(group.steps, known[identity(group)]),
            }
            for group in now.groups
            if identity(group) in known
        ]
    return told


def _of_first(steps: Sequence[StepShare]) -> Sequence[Share]:
    return [wilson(step.count, steps[0].count) for step in steps]


def _json(now: Sequence[StepShare], before: Sequence[StepShare]) -> list[dict[str, Any]]:
    return [
        {
            "step": step.name,
            "difference": gap.difference,
            "difference_interval": None if gap.difference is None else [gap.low, gap.high],
        }
        for step, gap in zip(now, gaps(now, before), strict=True)
    ]
