"""A tree back to text and to the $ form; both read back to the same tree."""

from typing import Any, Final

from store.analytics.filters.nodes import (
    EXISTS,
    Bare,
    Every,
    Negated,
    Node,
    Some,
    Term,
)

_KEYWORDS: Final = ("or", "and", "not")
_FIELD_SPECIAL: Final = frozenset("=!<>~()\"',")
_VALUE_SPECIAL: Final = frozenset("()\"',*")
_OPERATOR_STARTS: Final = ("=", "~", "<", ">", "!")
DOLLARS: Final = {
    "=": "$eq",
    "!=": "$ne",
    ">": "$gt",
    ">=": "$gte",
    "<": "$lt",
    "<=": "$lte",
    "~": "$contains",
    "=~": "$regex",
}
RESERVED: Final = ("$and", "$or", "$not", "$text", "$filter")
"""Keys of the $ form that are no fields."""
MANY_DOLLARS: Final = {"=": "$in", "!=": "$nin"}


def as_text(node: Node) -> str:
    """The shortest text that reads back as this tree."""
    match node:
        case Bare(text):
            return name_text(text)
        case Term(field, "exists"):
            return f"{name_text(field)}=*"
        case Term(field, operator, values):
            return f"{name_text(field)}{operator}{','.join(value_text(value) for value in values)}"
        case Negated(Term(field, "exists")):
            return f"{name_text(field)}!=*"
        case Negated(part):
            return f"-{_grouped(part)}"
        case Some(parts):
            return " or ".join(as_text(part) for part in parts)
        case Every(parts):
            return " ".join(_grouped(p) if isinstance(p, Some) else as_text(p) for p in parts)


def _grouped(node: Node) -> str:
    return f"({as_text(node)})" if isinstance(node, Every | Some) else as_text(node)


def name_text(text: str) -> str:
    """A field or bare text: in quotes when it would read as anything else."""
    plain = not (_FIELD_SPECIAL & set(text) or text.startswith("-") or text.lower() in _KEYWORDS)
    return text if plain and _unbroken(text) else _quote(text)


def value_text(text: str) -> str:
    plain = not (_VALUE_SPECIAL & set(text) or text.startswith(_OPERATOR_STARTS))
    return text if plain and _unbroken(text) else _quote(text)


def _unbroken(text: str) -> bool:
    return bool(text) and not any(char.isspace() for char in text)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def as_document(node: Node) -> dict[str, Any]:
    """The $ form: one JSON object."""
    match node:
        case Bare(text):
            return {"$text": text}
        case Term(field) | Negated(Term(field)) if field in RESERVED:
            return {"$filter": as_text(node)}
        case Negated(Term(field, "exists")):
            return {field: {"$exists": False}}
        case Term(field, operator, values):
            return {field: _comparison(operator, values)}
        case Negated(part):
            return {"$not": as_document(part)}
        case Some(parts):
            return {"$or": [as_document(part) for part in parts]}
        case Every(parts):
            return {"$and": [as_document(part) for part in parts]} if parts else {}


def _comparison(operator: str, values: tuple[str, ...]) -> Any:
    if operator == EXISTS:
        return {"$exists": True}
    if len(values) > 1:
        return {MANY_DOLLARS[operator]: list(values)}
    return values[0] if operator == "=" else {DOLLARS[operator]: values[0]}
