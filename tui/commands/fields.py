"""Options made out of the fields of a query, and a query made out of the options."""

import argparse
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import timedelta
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from store.analytics.query import Query
from store.timespan import parse_duration
from tui.commands.command import Options, Parser

# These have options of their own: --since, --until and --last; --tz.
APART: Final = ("span", "tz")
# Plural fields whose option is one value each time.
SINGULAR: Final = {"events": "event", "measures": "measure", "steps": "step"}


def add_query_options(parser: Parser, query_type: type[Query]) -> None:
    """One option a field; those that are not given leave nothing in the options."""
    hints = get_type_hints(query_type)
    own = parser.add_argument_group("question")
    # Refused with a sentence of its own where it means nothing, so no help offers it there.
    meant = {"by": query_type.breaks_down, "compare": query_type.compares}
    for part in fields(query_type):
        if part.name not in APART and not part.metadata.get("hidden"):
            how = _how(part, hints)
            if not meant.get(part.name, True):
                how["help"] = argparse.SUPPRESS
            own.add_argument(option_name(part), dest=part.name, default=argparse.SUPPRESS, **how)


def given(options: Options, query_type: type[Query]) -> Mapping[str, Any]:
    """The fields that the options set, as the query holds them."""
    named = {part.name: getattr(options, part.name, MISSING) for part in fields(query_type)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in named.items()
        if value is not MISSING and name not in APART
    }


def option_name(part: Field[Any]) -> str:
    """`--event` for `events`, `--no-link` for what is on unless told otherwise."""
    name = part.metadata.get("flag") or SINGULAR.get(part.name, part.name)
    negative = "no-" if part.default is True else ""
    return f"--{negative}{name.removeprefix('--').replace('_', '-')}"


def _how(part: Field[Any], hints: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of add_argument for a field's type."""
    help_text = str(part.metadata.get("help", "")).replace("%", "%%")
    if isinstance(part.default, bool):
        on = part.default
        return {
            "action": "store_false" if on else "store_true",
            "help": f"do not {help_text}" if on else help_text,
        }
    kinds = [kind for kind in get_args(hints[part.name]) if kind is not NoneType]
    repeated = get_origin(hints[part.name]) is tuple
    how: dict[str, Any] = {"help": help_text}
    if "choices" in part.metadata:
        how["choices"] = tuple(part.metadata["choices"])
    else:
        how["metavar"] = part.metadata.get("metavar") or _metavar(part, hints[part.name], kinds)
    if repeated:
        reads = part.metadata.get("reads")
        return {**how, "action": "append", **({"type": reads} if reads else {})}
    for kind in (int, float, timedelta):
        if hints[part.name] is kind or kind in kinds:
            return {**how, "type": _duration if kind is timedelta else kind}
    return how


def _metavar(part: Field[Any], hint: Any, kinds: list[Any]) -> str:
    if hint is timedelta or timedelta in kinds:
        return "DURATION"
    return "FILTER" if part.name == "where" else SINGULAR.get(part.name, part.name).upper()


def _duration(text: str) -> timedelta | None:
    return None if text == "none" else parse_duration(text)
