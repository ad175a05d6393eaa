"""A tree to a Polars expression, by the types of the columns that it will read.

What a term finds depends on an event's own value, never on how a column was widened: a whole
number stored as Int64, Float64 or text is found by the same terms. All expressions are two-valued:
a missing field is unequal to everything but `""`, and neither above nor below anything.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from operator import and_, ge, gt, le, lt, or_
from typing import Any, Final

import polars as pl

from store import schema
from store.analytics.filters.nodes import (
    Bare,
    Every,
    Negated,
    Node,
    Some,
    Term,
    leaves,
)
from store.analytics.filters.values import SEVERITY_FIELDS, number, number_text
from store.errors import UsageError
from store.schema import EXACT_FLOAT_MAX, severity_class, severity_number
from store.timespan import EPOCH, parse_instant

Types = Mapping[str, pl.DataType]

# Ids are hexadecimal noise in which a word such as `bad` turns up by chance: found whole only.
ID_COLUMNS: Final = ("event_id", "trace_id", "span_id", "parent_span_id")
_ORDER: Final[Mapping[str, Callable[[pl.Expr, Any], pl.Expr]]] = {
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
}
_NEVER: Final = pl.lit(value=False)
_ALWAYS: Final = pl.lit(value=True)
_INTEGER: Final = re.compile(r"(U?)Int(\d+)")


def expression(node: Node, types: Types) -> pl.Expr:
    """True for the events that the tree finds, False for all others; never null."""
    return _finding(node, types).fill_null(value=False)


def _finding(node: Node, types: Types) -> pl.Expr:
    """True for what is found; null is as good as False until something negates it."""
    match node:
        case Every(parts):
            return _joined([_finding(part, types) for part in parts], and_, _ALWAYS)
        case Some(parts):
            return _joined([_finding(part, types) for part in parts], or_, _NEVER)
        case Negated(part):
            return ~expression(part, types)
        case Bare(text):
            return _anywhere(text, types)
        case Term():
            return _term(node, types)


def _joined(
    found: Sequence[pl.Expr], how: Callable[[pl.Expr, pl.Expr], pl.Expr], nothing: pl.Expr
) -> pl.Expr:
    """Halved again and again: a chain of a thousand would nest as deep."""
    if len(found) <= 1:
        return found[0] if found else nothing
    middle = len(found) // 2
    return how(_joined(found[:middle], how, nothing), _joined(found[middle:], how, nothing))


def columns(node: Node, types: Types) -> set[str]:
    """Those of `types` that `expression` reads."""
    wanted: set[str] = set()
    for leaf in leaves(node):
        if isinstance(leaf, Bare):
            wanted.update(_text_columns(types))
        else:
            wanted.add(_stored_name(leaf.field))
    return wanted & set(types)


def _stored_name(field: str) -> str:
    return "severity" if field in SEVERITY_FIELDS else field


def _text_columns(types: Types) -> list[str]:
    return [name for name, kind in types.items() if kind == pl.String]


def _anywhere(text: str, types: Types) -> pl.Expr:
    found = [
        schema.column(name).str.to_lowercase() == text.lower()
        if name in ID_COLUMNS
        else _contains(schema.column(name), text)
        for name in _text_columns(types)
    ]
    return _joined(found, or_, _NEVER)


def _contains(values: pl.Expr, text: str) -> pl.Expr:
    if not text:
        return values.is_not_null()
    if text.isascii():
        # Twice as fast as a regex or lower case, measured over 1 M messages.
        return values.str.contains_any([text], ascii_case_insensitive=True)
    return values.str.contains("(?i)" + pl.escape_regex(text))


def _term(term: Term, types: Types) -> pl.Expr:
    kind = types.get(_stored_name(term.field), pl.Null())
    if kind == pl.Null:
        absent = term.operator in ("=", "!=") and ("" in term.values) == (term.operator == "=")
        return _ALWAYS if absent else _NEVER
    match term.operator:
        case "exists":
            return schema.column(_stored_name(term.field)).is_not_null()
        case "=":
            return _equal(term, kind)
        case "!=":
            return ~_equal(term, kind).fill_null(value=False)
        case "~":
            return _contains(_text(term.field, kind), term.values[0])
        case "=~":
            return _text(term.field, kind).str.contains(term.values[0])
    if term.field in SEVERITY_FIELDS:
        return _severity_order(term)
    return _order(term, kind)


def _text(field: str, kind: pl.DataType) -> pl.Expr:
    return severity_class() if field in SEVERITY_FIELDS else schema.as_text(field, kind)


def _equal(term: Term, kind: pl.DataType) -> pl.Expr:
    values = schema.column(_stored_name(term.field))
    wanted = [value for value in term.values if value]
    if term.field in SEVERITY_FIELDS:
        ranges = [values.is_between(*_severities(name)) for name in wanted]
        found = _joined(ranges, or_, _NEVER)
    elif kind.is_integer():
        low, high = _bounds(kind)
        whole = [n for n in map(number, wanted) if isinstance(n, int) and low <= n <= high]
        found = _is_in(values, whole, kind)
    elif kind.is_temporal():
        instants = [_instant_equal(term.field, kind, value) for value in wanted]
        found = _joined(instants, or_, _NEVER)
    elif kind.is_numeric():
        floats = [float(n) for n in map(number, wanted) if n is not None and _fits(n)]
        odd = [value for value in wanted if number(value) is None]
        as_floats = _is_in(_floats(values, kind), floats, pl.Float64())
        found = as_floats | _is_in(_text(term.field, kind), odd, pl.String()) if odd else as_floats
    else:
        found = _is_in(_text(term.field, kind), _spellings(wanted), pl.String())
    if "" in term.values:
        empty = (values == "") if kind == pl.String else _NEVER
        return values.is_null() | found | empty
    return found


def _spellings(wanted: Sequence[str]) -> list[str]:
    """The values as written, and as stored when they are numbers or truth values."""
    found = list(wanted)
    for value in wanted:
        if value.lower() in ("true", "false"):
            found.append(value.lower())
        elif (meant := number(value)) is not None:
            found.append(number_text(meant))
    return list(dict.fromkeys(found))


def _is_in(values: pl.Expr, wanted: Sequence[object], kind: pl.DataType) -> pl.Expr:
    if len(wanted) == 1:
        return values == pl.lit(wanted[0], dtype=kind)
    return values.is_in(pl.Series(wanted, dtype=kind).implode()) if wanted else _NEVER


def _instant_equal(field: str, kind: pl.DataType, value: str) -> pl.Expr:
    instant = _instant(value)
    if instant is None or not isinstance(kind, pl.Datetime):
        return schema.as_text(field, kind) == value
    return schema.column(field) == instant


def _instant(value: str) -> pl.Expr | None:
    try:
        return pl.lit(parse_instant(value, now=EPOCH), dtype=schema.INSTANT)
    except UsageError:
        return None


def _severities(name: str) -> tuple[int, int]:
    """The numbers that a name stands for: `warning` 13 to 16, `warn2` and `14` 14 alone."""
    number_least = severity_number(name) or 0
    single = name[-1:].isdigit()
    return number_least, number_least if single else number_least + 3


def _severity_order(term: Term) -> pl.Expr:
    least, most = _severities(term.values[0]) if term.values[0] else (0, 0)
    edge = most if term.operator in (">", "<=") else least
    found = _ORDER[term.operator](pl.col("severity"), edge)
    return found if edge else _NEVER


def _order(term: Term, kind: pl.DataType) -> pl.Expr:
    """Above or below: as numbers where the term's value is one, else as instants or as text."""
    compare, value = _ORDER[term.operator], term.values[0]
    column, bound = schema.column(term.field), number(value)
    if isinstance(kind, pl.Datetime):
        instant = _instant(value)
        return _NEVER if instant is None else compare(column, instant)
    if bound is None:
        return compare(_text(term.field, kind), value)
    if kind.is_integer():
        return _integer_order(term.operator, column, bound, kind)
    if kind.is_numeric():
        return _float_order(term.operator, _floats(column, kind), bound)
    if kind != pl.String:
        return _NEVER
    floats = _float_order(term.operator, column.cast(pl.Float64, strict=False), bound)
    if abs(bound) < EXACT_FLOAT_MAX:
        return floats
    integers = column.cast(pl.Int64, strict=False)
    exact = _integer_order(term.operator, integers, bound, pl.Int64())
    return pl.when(integers.is_not_null()).then(exact).otherwise(floats)


def _float_order(operator: str, values: pl.Expr, bound: float) -> pl.Expr:
    """Polars puts NaN above all numbers; here it is neither above nor below any."""
    edge = float(bound) if _fits(bound) else math.copysign(math.inf, bound)
    if operator in ("<", "<="):
        return _ORDER[operator](values, edge)
    return values.is_between(edge, math.inf, closed="both" if operator == ">=" else "right")


def _floats(values: pl.Expr, kind: pl.DataType) -> pl.Expr:
    return values if kind == pl.Float64 else values.cast(pl.Float64)


def _integer_order(operator: str, values: pl.Expr, bound: float, kind: pl.DataType) -> pl.Expr:
    """Exact also above 2^53: the bound becomes a whole number, not the values floats."""
    edge = math.ceil(bound) if operator in (">=", "<") else math.floor(bound)
    low, high = _bounds(kind)
    if low <= edge <= high:
        return _ORDER[operator](values, pl.lit(edge, dtype=kind))
    below = edge > high
    return values.is_not_null() if below == (operator in ("<", "<=")) else _NEVER


def _bounds(kind: pl.DataType) -> tuple[int, int]:
    matched = _INTEGER.fullmatch(str(kind))
    assert matched is not None, kind
    bits = int(matched[2])
    return (0, 2**bits - 1) if matched[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _fits(value: float) -> bool:
    """A whole number of hundreds of digits has no float."""
    return abs(value) < 1e308
