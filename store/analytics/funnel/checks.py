"""What makes no sense in a question about steps."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from store.analytics.funnel.steps import Step
from store.errors import UsageError
from store.timespan import duration_text

STEPS_MAX: Final = 60
"""A bit each in one number."""
ORDERS: Final = ("ordered", "strict", "unordered")
COUNTS: Final = ("users", "attempts")


class Asked(Protocol):
    """What is looked at beside the steps."""

    @property
    def window(self) -> timedelta | None: ...
    @property
    def order(self) -> str: ...
    @property
    def count(self) -> str: ...
    @property
    def break_on(self) -> str | Mapping[str, Any] | None: ...


def check(query: Asked, steps: Sequence[Step]) -> None:
    """A UsageError names what makes no sense in the question."""
    if not steps:
        raise UsageError("steps", "there are none", next_step="write --step NAME")
    if len(steps) > STEPS_MAX:
        raise UsageError("steps", f"{len(steps)} are more than {STEPS_MAX}")
    if query.window is not None and query.window <= timedelta():
        said = duration_text(query.window) if query.window >= timedelta() else "less than nothing"
        raise UsageError("window", f"{said} is no time to convert in", next_step="write 1d or none")
    for name, known in (("order", ORDERS), ("count", COUNTS)):
        if getattr(query, name) not in known:
            hint = f"take {', '.join(known)}"
            raise UsageError(name, f"{getattr(query, name)!r} is none", next_step=hint)
    if steps[0].optional:
        raise UsageError("steps", "the first one cannot be optional", next_step="leave it out")
    if query.order == "unordered" and any(step.optional for step in steps):
        raise UsageError("steps", "unordered steps are all optional", next_step="leave it out")
    _check_times(query, steps)
    if query.break_on and query.order != "strict":
        raise UsageError("break-on", "only a strict run can be broken", next_step="--order strict")


def _check_times(query: Asked, steps: Sequence[Step]) -> None:
    for at, step in enumerate(steps, 1):
        if step.within is None:
            continue
        said, fault, hint = f"within {duration_text(step.within)}", "", ""
        if query.order == "unordered":
            fault = "is of the step before, and unordered steps have none"
            hint = "write --window, which is for all of them, or --order ordered"
        elif query.order == "strict" and any(each.optional for each in steps):
            fault = "needs all steps in a strict run, and one is optional"
            hint = "leave optional out, or write --order ordered"
        elif at == 1:
            fault, hint = "is of the step before, and the first has none", "leave it out"
        elif query.window is not None and step.within > query.window:
            fault = f"is longer than the window of {duration_text(query.window)} for all steps"
            hint = f"write --window none, or at least --window {duration_text(step.within)}"
        if fault:
            raise UsageError("step", f"{said} {fault}", place=f"{at} {step.name}", next_step=hint)


def at_step(attribution: str, steps: int) -> int:
    """The step of `step:N`, from 0; -1 of the others."""
    if attribution in ("first", "last", "all"):
        return -1
    kind, _, number = attribution.partition(":")
    if kind == "step" and number.isdecimal() and 1 <= int(number) <= steps:
        return int(number) - 1
    raise UsageError(
        "attribution",
        f"{attribution!r} is none for {steps} steps",
        next_step="write first, last, all, or step: and the step's number from 1",
    )
