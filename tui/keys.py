"""The actions that keys can be given to."""

from collections.abc import Iterator

from textual.binding import Binding
from textual.dom import DOMNode

from tui.screens import SCREENS


def binding_ids() -> frozenset[str]:
    """The ids of all bindings; reads the modules of all screens."""
    for entry in SCREENS:
        entry.load()
    return frozenset(
        binding.id
        for node in _ours(DOMNode)
        for binding in node.__dict__.get("BINDINGS", ())
        if isinstance(binding, Binding) and binding.id
    )


def _ours(node: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for child in node.__subclasses__():
        if child.__module__.startswith("tui."):
            yield child
        yield from _ours(child)
