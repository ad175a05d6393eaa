"""What a person should know before believing an answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.commands.console import Console

if TYPE_CHECKING:
    import polars as pl

    from store.analytics.filters import Filter


def warn_of_unknown_fields(
    wanted: "Filter", types: "Mapping[str, pl.DataType]", console: Console, when: str = ""
) -> None:
    """What no event has is an empty answer; a slip of the pen should not look like one. `when` is
    added to the sentence.
    """
    for name, near in wanted.unknown(types).items() if types else ():
        console.note(f"no event has {name}{when}" + (f"; did you mean {near}?" if near else ""))


def warn_of_lost_parts(lost: int, console: Console) -> None:
    """Events are missing from what was told."""
    if lost:
        parts = "a part" if lost == 1 else f"{lost} parts"
        console.note(f"{parts} of this time cannot be read; see eventdeck check")
