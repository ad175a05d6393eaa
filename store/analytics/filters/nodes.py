"""A filter as a tree: terms, bare text, and what joins them.

The constructors `every`, `some` and `negated` keep one form for each meaning, so that equal filters
are equal trees: nothing nested in its own kind, no group of one, no double negation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

EXISTS: Final = "exists"
ORDERINGS: Final = (">", ">=", "<", "<=")
# Longest first: that is how a reader has to try them.
OPERATORS: Final = ("!=", ">=", "<=", "=~", "=", ">", "<", "~")
LISTING: Final = ("=", "!=")
"""The operators that take several values: any of, none of."""


@dataclass(frozen=True, slots=True)
class Term:
    """`field operator values`; `exists` has no values, only LISTING operators more than one."""

    field: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bare:
    """Text wanted somewhere in the event, in any case."""

    text: str


@dataclass(frozen=True, slots=True)
class Every:
    """All of `parts`; without parts, every event."""

    parts: "tuple[Node, ...]" = ()


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of `parts` (two or more)."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Negated:
    """All but what `part` finds, events without the field among them."""

    part: "Node"


EVERYTHING: Final = Every()

Node = Term | Bare | Every | Some | Negated


def every(parts: Iterable[Node]) -> Node:
    """All of the parts, flat."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Every) else (part,))
    return flat[0] if len(flat) == 1 else Every(tuple(flat))


def some(parts: Iterable[Node]) -> Node:
    """Any of the parts (one or more), flat."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Some) else (part,))
    if EVERYTHING in flat:
        return EVERYTHING
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def negated(part: Node) -> Node:
    """Not the part; `=` turns into `!=` and back, since both count a missing field alike."""
    match part:
        case Negated(inner):
            return inner
        case Term(field, "=", values):
            return Term(field, "!=", values)
        case Term(field, "!=", values):
            return Term(field, "=", values)
        case _:
            return Negated(part)


def leaves(node: Node) -> Iterable[Term | Bare]:
    """The leaves, from left to right."""
    match node:
        case Term() | Bare():
            yield node
        case Negated(part):
            yield from leaves(part)
        case Every(parts) | Some(parts):
            for part in parts:
                yield from leaves(part)
