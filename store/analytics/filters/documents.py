"""The $ form to a tree: `{"duration_ms": {"$gt": 100}, "$or": [{"plan": "pro"}, …]}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from store.analytics.filters.faults import FilterFault
from store.analytics.filters.nodes import EXISTS, Bare, Node, Term, every, negated, some
from store.analytics.filters.reading import DEPTH_MAX, Reader
from store.analytics.filters.values import Moment, checked, number_text
from store.analytics.filters.writing import DOLLARS, MANY_DOLLARS

_OPERATORS: Final = {dollar: operator for operator, dollar in DOLLARS.items()}
_LISTINGS: Final = {dollar: operator for operator, dollar in MANY_DOLLARS.items()}
_KNOWN: Final = (*_OPERATORS, *_LISTINGS, "$exists", "$not")


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads one JSON document; places are paths into it: `$or.1.duration_ms`."""

    moment: Moment

    def filter(self, document: Any, path: tuple[str, ...] = ()) -> Node:
        """An object: all of its entries."""
        if len(path) > 4 * DEPTH_MAX:
            raise _fault(path[:4], "it nests too deep", "write it flatter")
        if not isinstance(document, Mapping):
            raise _fault(path, f"{document!r} is no object", 'write {"field": value}')
        return every(self._entry(str(key), item, path) for key, item in document.items())

    def _entry(self, key: str, item: Any, path: tuple[str, ...]) -> Node:
        here = (*path, key)
        match key:
            case "$and" | "$or":
                parts = self._each(item, here)
                return every(parts) if key == "$and" else some(parts)
            case "$not":
                return negated(self.filter(item, here))
            case "$text":
                return Bare(_value(item, here))
            case "$filter":
                return Reader(_value(item, here), self.moment).filter()
        return self._field(key, item, here)

    def _each(self, items: Any, path: tuple[str, ...]) -> list[Node]:
        if not isinstance(items, list | tuple) or not items:
            raise _fault(path, "it wants a list of objects", 'write [{"field": value}, …]')
        return [self.filter(item, (*path, str(index))) for index, item in enumerate(items)]

    def _field(self, field: str, item: Any, path: tuple[str, ...]) -> Node:
        if len(path) > 4 * DEPTH_MAX:
            raise _fault(path[:4], "it nests too deep", "write it flatter")
        if isinstance(item, Mapping):
            return every(self._compared(field, k, v, (*path, str(k))) for k, v in item.items())
        if isinstance(item, list | tuple):
            return self._term(field, "=", _values(item, path), path)
        if item is None:
            return negated(Term(field, EXISTS))
        return self._term(field, "=", (_value(item, path),), path)

    def _compared(self, field: str, dollar: str, item: Any, path: tuple[str, ...]) -> Node:
        if dollar == "$not":
            return negated(self._field(field, item, path))
        if dollar == "$exists":
            if not isinstance(item, bool):
                raise _fault(path, f"{item!r} is neither true nor false", "write true or false")
            exists = Term(field, EXISTS)
            return exists if item else negated(exists)
        if dollar in _LISTINGS:
            return self._term(field, _LISTINGS[dollar], _values(item, path), path)
        if dollar not in _OPERATORS:
            raise _fault(path, "there is no such operator", f"use {', '.join(_KNOWN)}")
        if item is None and dollar in ("$eq", "$ne"):
            exists = Term(field, EXISTS)
            return exists if dollar == "$ne" else negated(exists)
        return self._term(field, _OPERATORS[dollar], (_value(item, path),), path)

    def _term(
        self, field: str, operator: str, values: tuple[str, ...], path: tuple[str, ...]
    ) -> Term:
        try:
            return checked(field, operator, values, self.moment)
        except FilterFault as fault:
            raise fault.at(".".join(path)) from None


def _values(items: Any, path: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(items, list | tuple) or not items:
        raise _fault(path, "it wants a list of values", 'write ["a", "b"]')
    return tuple("" if item is None else _value(item, path) for item in items)


def _value(item: Any, path: tuple[str, ...]) -> str:
    """A value as text: how numbers, booleans and strings meet in a column of text."""
    match item:
        case bool():
            return "true" if item else "false"
        case int() | float():
            return number_text(item)
        case str():
            return item
    raise _fault(path, f"{item!r} is no value", "write a text, a number, true or false")


def _fault(path: tuple[str, ...], fault: str, next_step: str) -> Exception:
    return FilterFault(fault, next_step).at(".".join(path) or "$ form")
