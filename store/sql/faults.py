"""What Polars says about a statement, as one sentence with the place and the nearest name."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Final

import polars as pl

from store.analytics.filters import nearest
from store.errors import StoreError, UsageError
from store.sql.statement import EXAMPLE, Token, fault, place

_AT: Final = re.compile(r" at Line: (\d+), Column: (\d+)")
_COLUMN: Final = re.compile(
    r'unable to find column "(.*?)"; valid'
    r"|no (?:table or struct )?column named '(.*?)' found"
    r"|unsupported function '(.*?)'$",
    re.DOTALL | re.MULTILINE,
)
_TABLE: Final = re.compile(r"relation '(.*?)' was not found|'(.*?)' is not a supported table func")
_MIXED_ZONES: Final = "Datetime('μs')"


def sentence(
    error: BaseException,
    text: str,
    tokens: Sequence[Token],
    columns: Mapping[str, pl.DataType],
    tables: Collection[str],
) -> StoreError:
    """The UsageError for what Polars raised on this statement."""
    said = str(error)
    if (found := _TABLE.search(said)) is not None:
        name = found[1] or found[2]
        near = get_close_matches(name.lower(), tables, 1)
        step = f"did you mean {near[0]}?" if near else f"there are {', '.join(tables)}"
        return _named(text, tokens, name, f"there is no table {name!r}", step)
    if (found := _COLUMN.search(said)) is not None:
        name = next(group for group in found.groups() if group is not None)
        return _no_column(text, tokens, name, columns, is_function=found[3] is not None)
    if (at := _AT.search(said)) is not None:
        start = _offset(text, int(at[1]), int(at[2]))
        return fault(text, start, _first_line(said[: at.start()]), EXAMPLE)
    if "found: EOF" in said:
        return fault(text, len(text.rstrip()), "something is missing at the end", EXAMPLE)
    if "one (and only one) statement" in said:
        return UsageError("sql", "one statement at a time", next_step="ask one after the other")
    if _MIXED_ZONES in said and "UTC" in said:
        step = "compare with a text: event_time >= '2026-11-22T14:00:00Z'; or use --last, --since"
        return UsageError(
            "sql", "a time in UTC is compared with one without a zone", next_step=step
        )
    return UsageError("sql", _first_line(said), next_step=_advice(said))


def _no_column(
    text: str,
    tokens: Sequence[Token],
    name: str,
    columns: Mapping[str, pl.DataType],
    *,
    is_function: bool,
) -> UsageError:
    """A name that is no column, or a function that there is not."""
    called = is_function and _is_called(tokens, name)
    if called:
        step = "see https://docs.pola.rs/api/python/stable/reference/sql/functions/"
        return _named(text, tokens, name, f"there is no function {name}", step)
    if name in columns:  # a keyword such as `user`
        return _named(text, tokens, name, f"{name} is a word of SQL", f'write "{name}" in quotes')
    dotted = _dotted(tokens, name, columns)
    if dotted:
        return _named(text, tokens, name, f"there is no column {name!r}", f'write "{dotted}"')
    near = nearest(name, columns)
    step = f"did you mean {_written(near)}?" if near else "eventdeck inspect lists the columns"
    return _named(text, tokens, name, f"there is no column {name!r}", step)


def _is_called(tokens: Sequence[Token], name: str) -> bool:
    pairs = pairwise(tokens)
    return any(token.text.lower() == name.lower() and after.text == "(" for token, after in pairs)


def _dotted(tokens: Sequence[Token], name: str, columns: Iterable[str]) -> str:
    """The column that `http.status` without quotes was meant for, or ""."""
    joined = "".join(token.text for token in tokens if token.kind in ("word", "sign"))
    wanted = [column for column in columns if "." in column and column in joined]
    return max((column for column in wanted if name in column.split(".")), key=len, default="")


def _written(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_]\w*", name) is not None
    return name if plain else '"{}"'.format(name.replace('"', '""'))


def _named(text: str, tokens: Sequence[Token], name: str, said: str, step: str) -> UsageError:
    """Pointing at the name where it stands in the statement."""
    for token in tokens:
        if token.kind in ("word", "quoted") and token.text.lower() == name.lower():
            return UsageError("sql", said, place=place(text, token.start), next_step=step)
    return UsageError("sql", said, next_step=step)


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return min(sum(len(each) + 1 for each in lines[: line - 1]) + column - 1, len(text))


def _first_line(said: str) -> str:
    """What went wrong, without the query plan and the advice for programs."""
    short = said.removeprefix("sql parser error: ").partition("\n")[0].strip()
    short = short.partition(". It's possible")[0].partition("; try an explicit")[0]
    return f"{short[:1].lower()}{short[1:]}" if short[:2].istitle() else short


def _advice(said: str) -> str:
    if "conversion from" in said:
        return "TRY_CAST gives null where a value does not fit"
    if "on dtypes" in said or "cannot compare" in said:
        return "bring both to one type: CAST(x AS DOUBLE), CAST(x AS VARCHAR)"
    if "duplicate output name" in said:
        return "give one of them another name with AS"
    return ""
