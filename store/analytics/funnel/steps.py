"""Steps and exclusions as people write them: on the command line, and in JSON."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final

from store.analytics.filters import Filter, parse_filter
from store.errors import UsageError
from store.timespan import parse_duration

ANY: Final = "*"
"""The name that stands for all of them."""
_WHERE: Final = re.compile(r"\s+where\s+")
_FLAG: Final = re.compile(r"\s+(optional|first-time|within\s+[-+]?\d\S*)\s*$")
_BETWEEN: Final = re.compile(r"\s+between\s+(\d+)\s+(?:and\s+)?(\d+)\s*$")
_QUOTED: Final = re.compile(r"""(["'])((?:\\.|(?!\1).)*)\1(?=\s|$)""", re.DOTALL)
_AFTER_NAME: Final = re.compile(r"\s*$|\s+where\s|\s+(optional|first-time|between\s|within\s)")

Written = str | Mapping[str, Any]
"""A step or an exclusion as a query holds it: a name, or an object."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an event must be to count for it."""

    name: str
    where: Filter = Filter()
    optional: bool = False
    first_time: bool = False
    """Only a subject's first such event in all that is stored."""
    within: timedelta | None = None
    """How long after the required step before it may come, the edge inside; None: no limit."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What must not happen after one step and before another; both are numbers from 1."""

    name: str
    where: Filter
    after: int
    before: int


def step_of_text(text: str) -> Written:
    """A step of the command line, `NAME [where FILTER] [optional] [first-time] [within 10m]`, as a
    query holds it. Quotes around the name keep it together.
    """
    flags: dict[str, str] = {}
    name, rest = _name_and_rest(text)
    while found := _FLAG.search(rest):
        word, *value = found[1].split()
        flags[word] = "".join(value)
        rest = rest[: found.start()]
    name, where = _split(name, rest, "step")
    if not (where or flags):
        return name
    return {
        "name": name,
        "where": where or None,
        "optional": "optional" in flags,
        "first_time": "first-time" in flags,
        **({"within": flags["within"]} if "within" in flags else {}),
    }


def exclusion_of_text(text: str) -> Written:
    """The same for `NAME [where FILTER] [between I J]`."""
    name, rest = _name_and_rest(text)
    between = _BETWEEN.search(rest)
    name, where = _split(name, rest[: between.start()] if between else rest, "exclude")
    if not (where or between):
        return name
    limits = {"after": int(between[1]), "before": int(between[2])} if between else {}
    return {"name": name, "where": where or None, **limits}


def step_of(written: Written) -> Step:
    """The step that a query holds; a UsageError names what is wrong with it."""
    known = _object(written, ("name", "where", "optional", "first_time", "within"), "step")
    flags = {}
    for name in ("optional", "first_time"):
        flags[name] = known.get(name) or False
        if not isinstance(flags[name], bool):
            raise UsageError("step", f"{name} is {flags[name]!r}, wanted true or false")
    within = _within(known.get("within"), known["name"])
    return Step(known["name"], parse_filter(known.get("where")), **flags, within=within)


def _within(value: Any, name: str) -> timedelta | None:
    """A step's time, as text or seconds."""
    if value is None:
        return None
    length, fault = None, f"within is {value!r}, wanted a duration"
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            length = parse_duration(value) if isinstance(value, str) else timedelta(seconds=value)
        except (OverflowError, ValueError, UsageError):
            fault = f"within is {value!r}, which is no duration"
        else:
            fault = f"within {value} is no time to come in"
    if length is None or length <= timedelta():
        raise UsageError("step", fault, place=name, next_step="write within 10m")
    return length


def exclusion_of(written: Written, steps: int) -> Exclusion:
    """The exclusion that a query of so many steps holds: between the first and the last, unless it
    says.
    """
    known = _object(written, ("name", "where", "after", "before"), "exclude")
    limits = []
    for name, usual in (("after", 1), ("before", steps)):
        limit = known.get(name)
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
            raise UsageError("exclude", f"{name} is {limit!r}, wanted a step's number")
        limits.append(usual if limit is None else limit)
    after, before = limits
    if not 1 <= after < before <= steps:
        raise UsageError(
            "exclude",
            f"there is nothing between steps {after} and {before} of {steps}",
            next_step="number steps from 1, the earlier one first",
        )
    return Exclusion(known["name"], parse_filter(known.get("where")), after, before)


def _name_and_rest(text: str) -> tuple[str | None, str]:
    """A name in quotes, and what follows; or None, and everything."""
    text = text.strip()
    found = _QUOTED.match(text)
    if found and _AFTER_NAME.match(text, found.end()):
        return re.sub(r"\\(.)", r"\1", found[2]), text[found.end() :]
    return None, text


def _split(name: str | None, rest: str, option: str) -> tuple[str, str]:
    """The name and the filter's text."""
    if name is None:
        name, *where = _WHERE.split(rest, maxsplit=1)
    else:
        where = _WHERE.split(rest, maxsplit=1)[1:]
    name = name.strip() if not where or name.strip() else name
    if not name:
        raise UsageError(f"--{option}", "it has no name", next_step=f"write --{option} NAME")
    return name, where[0].strip() if where else ""


def _object(written: Written, known: Sequence[str], what: str) -> Mapping[str, Any]:
    found = {"name": written} if isinstance(written, str) else written
    for key in found:
        if key not in known:
            close = get_close_matches(str(key), known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            raise UsageError(what, f"there is no {key!r} in one", next_step=hint)
    name = found.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError(what, "it has no name", next_step='write {"name": …}')
    where = found.get("where")
    if where is not None and not isinstance(where, str | Mapping):
        raise UsageError(what, f"where is {where!r}, wanted a filter")
    return found
