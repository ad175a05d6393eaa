"""Steps as lines of text around their bars: whatever analysis answered in that shape."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from store.analytics.shapes import StepShare
from tui.formatting import count, duration, length, percent
from tui.plots.bar import Segment


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a cursor may stand: on those who came to a step, or on those who went no further."""

    step: int
    """From 0."""
    gone: bool = False
    """True for those who did not come to this step, though they came to the one before."""


def stops(steps: Sequence[StepShare]) -> list[Stop]:
    """From the top down."""
    found = [Stop(0)] if steps else []
    for at in range(1, len(steps)):
        found += [Stop(at, gone=True), Stop(at)]
    return found


def segments(steps: Sequence[StepShare], at: int) -> list[Segment]:
    """As shares of the largest step: who came here, who may still come, who will not. Those who
    came to the last one are the aim.
    """
    most = max((step.count for step in steps), default=0)
    if not most:
        return []
    step = steps[at]
    return [
        Segment("live" if 0 < at == len(steps) - 1 else "info", step.count / most),
        Segment("muted", step.still_possible / most, shade=1),
        Segment("faint", step.drop_off / most, shade=0),
    ]


def share_text(share: float) -> str:
    """`44.9 %`, right-aligned in a cell of 8 by whoever draws it."""
    return f"{percent(share, digits=1) if share < 0.0995 else _tenths(share)} %"


def _tenths(share: float) -> str:
    if share >= 1:
        return "100"
    return ">99.9" if share > 0.9995 else f"{share * 100:.1f}"


def took(seconds: float | None) -> str:
    """`14m`; empty where nobody knows."""
    if seconds is None:
        return ""
    number, unit = duration(seconds * 1000)
    return f"{number}{unit}" if seconds else "0s"


def worst_drop(steps: Sequence[StepShare]) -> int | None:
    """The step before which the largest share of those who came that far is lost."""
    lost = [(step.drop_off / step.of, at) for at, step in enumerate(steps) if at and step.of]
    share, at = max(lost, default=(0.0, 0), key=lambda each: (each[0], -each[1]))
    return at if share > 0 else None


def said_of_drop(step: StepShare, subjects: str) -> Iterator[tuple[str, str, str]]:
    """Number, words and role of each thing to be said between two steps, the weightiest first."""
    if step.drop_off:
        yield count(step.drop_off), " gone", "text"
    if step.still_possible:
        yield count(step.still_possible), " may still come", "text"
    if not (step.drop_off or step.still_possible) and step.of > step.count:
        yield count(step.of - step.count), f" {subjects} left it out", "text"
    if median := took(step.median_seconds):
        yield median, " median", "text"


def interval_text(step: StepShare) -> str:
    """Where the true share lies: `43-47`."""
    return "-".join(f"{share * 100:.{share < 0.0995:d}f}" for share in step.likely)


def windows_text(windows: Sequence[tuple[float, float]], width: int) -> str:
    """What comes to the last step in other windows: whether the share hangs on it; empty where
    there is no room.
    """
    told = [
        f"{length(timedelta(seconds=seconds))} {percent(share, digits=1)} %"
        for seconds, share in windows
    ]
    shown = f"to the last within {', '.join(told)}" if told else ""
    return shown if len(shown) <= width else ""
