"""What a term's values may be: severities by name, durations with a unit, times in all forms.

A value is checked and brought to one form when the filter is read, so that a mistake is pointed
out at once and what a filter means never depends on what happens to be stored.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import Final

import polars as pl

from store.analytics.filters.faults import FilterFault
from store.analytics.filters.nodes import EXISTS, LISTING, ORDERINGS, Term
from store.errors import UsageError
from store.schema import FIXED, INSTANT, SEVERITIES, severity_number
from store.timespan import EPOCH, UNITS, iso, parse_duration, parse_instant

SEVERITY_FIELDS: Final = ("severity", "severity_class")
TIME_FIELDS: Final = tuple(name for name, kind in FIXED.items() if kind == INSTANT)
MILLISECONDS_SUFFIX: Final = "_ms"
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_UNIT: Final = re.compile(r"\d.*[a-z]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a filter is read; without `now`, times that move with it are refused."""

    now: datetime | None = None
    zone: tzinfo = UTC


def number(text: str) -> int | float | None:
    """The finite number that `text` writes, exact when it is whole; None for anything else."""
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        return None
    if text.lstrip("+-").isdecimal():
        return int(text)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return None
    return int(value) if value.is_integer() else value


def number_text(value: float) -> str:
    """A number as events hold it when its column is text: `1`, `0.1`, without a `.0`."""
    if isinstance(value, int) and not -(2**53) < value < 2**53:
        return str(value)
    whole = float(value).is_integer()
    return str(int(value)) if whole else str(pl.Series([float(value)]).cast(pl.String).item())


def checked(field: str, operator: str, values: tuple[str, ...], moment: Moment) -> Term:
    """The term with its values in one form; a FilterFault says what is wrong."""
    if not field:
        raise FilterFault("a field has no name")
    if operator == EXISTS:
        return Term(field, EXISTS)
    if len(values) > 1 and operator not in LISTING:
        raise FilterFault(f"{operator} takes one value", "write one value")
    if operator == "=~":
        check_regex(values[0])
    if operator in LISTING or operator in ORDERINGS:
        values = tuple(dict.fromkeys(_one_form(field, value, moment) for value in values))
    return Term(field, operator, values)


def _one_form(field: str, value: str, moment: Moment) -> str:
    if field in SEVERITY_FIELDS:
        return _severity(value)
    if field in TIME_FIELDS:
        return value and _instant(field, value, moment)
    if field.endswith(MILLISECONDS_SUFFIX) and _UNIT.fullmatch(value):
        return _milliseconds(field, value)
    return value


def _severity(value: str) -> str:
    name = value.strip().lower()
    if name and severity_number(name) is None:
        near = get_close_matches(name, SEVERITIES, 1)
        hint = f"did you mean {near[0]}?" if near else f"write {', '.join(SEVERITIES)} or 1 to 24"
        raise FilterFault(f"{value!r} is no severity", hint)
    return name


def _instant(field: str, value: str, moment: Moment) -> str:
    moving = value.lower() in {"now", "today", "yesterday"} or (
        value.startswith("-") and number(value) is None
    )
    if moving and moment.now is None:
        raise FilterFault(
            f"{field} is compared with {value!r}, which moves",
            "write an instant, or choose the span",
        )
    try:
        return iso(parse_instant(value, now=moment.now or EPOCH, zone=moment.zone))
    except UsageError as error:
        raise FilterFault(error.fault, error.next_step) from None


def _milliseconds(field: str, value: str) -> str:
    """`1s` as `1000`; what is no duration (`1e3`, a word) stays as it is."""
    if number(value) is not None:
        return value
    try:
        return number_text(parse_duration(value) / UNITS["ms"])
    except UsageError as error:
        raise FilterFault(f"{field}: {error.fault}", error.next_step) from None


def check_regex(pattern: str) -> None:
    """A FilterFault unless Polars (Rust's regex syntax) takes the pattern."""
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.ComputeError as error:
        lines = str(error).partition("\n\nThis error")[0].splitlines()
        caret = next(
            (line.index("^") for line in lines if line.strip(" ^") == "" and "^" in line), 4
        )
        fault = lines[-1].removeprefix("error: ")
        raise FilterFault(
            f"the regex {pattern!r} is wrong: {fault}", offset=max(caret - 4, 0)
        ) from None
