"""What the numbers of an answer are: shares, times, lengths of time; told by their names.

An analysis says it in the names of its columns, so that one from outside is shown alike:
`…_ms` and `…_seconds` are lengths, `share…`, `…_share`, `…_rate` and `conversion…` are of one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any, Final

from tui.commands.table import Gap, Marked
from tui.formatting import clean, duration, number, percent

# What a table of percentiles has of one attribute; its name is the query's `of`.
SPREAD: Final = frozenset({"mean", "min", "max", "median", *(f"p{at}" for at in range(100))})
BOUNDS: Final = frozenset({"low", "high"})
TEXT_MAX: Final = 400
TREND_MIN: Final = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is read; `text` is clean."""

    text: str
    unit: str = ""
    role: str = "text"
    share: float | None = None
    trend: tuple[float, ...] = ()
    value: Any = None
    """What it is sorted by; None comes last."""


NOTHING: Final = Cell("")


@dataclass(frozen=True, slots=True)
class Units:
    """Reads the values of an answer's columns."""

    zone: tzinfo
    columns: frozenset[str]
    of: str = ""
    """The attribute that SPREAD is of, where there is one."""
    days: bool = False
    """Whether times need their day."""

    def cell(self, name: str, value: Any, row: Mapping[str, Any]) -> Cell:
        """Any value, also of an analysis that we do not know."""
        match value:
            case None | "" | [] | ():
                return NOTHING
            case bool():
                return Cell("yes" if value else "no", value=value)
            case float() if not math.isfinite(value):
                return NOTHING
            case int() | float():
                return self._number(name, value, row)
            case Gap():
                return Cell(value.text(), value=value.value)
            case Marked():
                cell = self._number(name, value.value, row)
                return replace(cell, text=f"{value.sign}{cell.text}")
            case datetime():
                return self._time(value)
            case list() | tuple() if len(value) >= TREND_MIN and all(map(_is_known, value)):
                return Cell(
                    "", trend=tuple(each or 0 for each in value), value=sum(filter(None, value))
                )
            case _:
                text = said(value)
                return Cell(text, value=text)

    def _number(self, name: str, value: float, row: Mapping[str, Any]) -> Cell:
        if self.is_share(name) and -1 <= value <= 1:
            sign = "-" if value < 0 else ""
            text = sign + percent(abs(value), digits=1)
            return Cell(text, "%", share=max(0.0, value), value=value)
        scale = self.milliseconds(name, row)
        if scale:
            text, unit = duration(value * scale)
            return Cell(text, unit, value=value)
        return Cell(number(value), value=value)

    def is_share(self, name: str) -> bool:
        """Whether numbers of that name are shares of one."""
        if name in BOUNDS:
            return bool(self.columns & {"share", "conversion", "adoption_rate"})
        return (
            "share" in name.split("_")
            or name.startswith(("conversion", "error_rate", "adoption_rate"))
            or name.endswith("_rate")
        )

    def milliseconds(self, name: str, row: Mapping[str, Any] = MappingProxyType({})) -> float:
        """How many milliseconds a number of that name is; 0 for what is no length of time."""
        if name in SPREAD:
            name = str(row.get("metric") or self.of)
        name = name.partition(":")[2] or name
        if name.endswith("_ms"):
            return 1
        return 1000 if "seconds" in name.split("_") else 0

    def _time(self, instant: datetime) -> Cell:
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        local = aware.astimezone(self.zone)
        pattern = "%d %b %H:%M:%S" if self.days else "%H:%M:%S"
        return Cell(f"{local:{pattern}}", value=aware)


def _is_known(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (is_number and math.isfinite(value))


def said(value: Any) -> str:
    """Words, a list of names, a small object, in one go."""
    if isinstance(value, Mapping):
        pairs = ((name, said(each)) for name, each in value.items())
        return " ".join(f"{_worded(str(name))} {text}" for name, text in pairs if text)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        sign = " " + ("▸" if all(isinstance(each, str) for each in value) else ",") + " "
        return sign.join(map(said, value)) if sign != " , " else ", ".join(map(said, value))
    if isinstance(value, float | int) and not isinstance(value, bool):
        return number(value)
    return clean(str(value)[:TEXT_MAX])


def _worded(name: str) -> str:
    return clean(name.replace("_", " "))


def title_of(name: str) -> str:
    """A column's name as its title; the unit of a length stands in its cells."""
    words = [word for word in name.split("_") if word != "seconds"] or [name]
    if words[:2] == ["conversion", "from"]:
        words = words[1:]  # it stands beside the conversion
    return clean(" ".join(words))
