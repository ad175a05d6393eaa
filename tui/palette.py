"""The palette: every action with its key, and what has no key."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from textual.app import App
from textual.binding import ActiveBinding

from tui.theme import THEMES
from tui.widgets.footer import key_name
from tui.widgets.picker import Choice

Deed = Callable[[], Any]
MORE_THEMES: Final = ("ansi-dark", "ansi-light", "textual-dark", "textual-light", "nord", "gruvbox")


def commands(app: App[Any]) -> list[Choice[Deed]]:
    """All that can be done on the screen as it is: its keys first, in the order of the help."""
    themes = (*(theme.name for theme in THEMES), *MORE_THEMES)
    found: list[Choice[Deed]] = list(_keys(app))
    found += [Choice(f"theme {name}", partial(setattr, app, "theme", name)) for name in themes]
    return found


def _keys(app: App[Any]) -> Iterator[Choice[Deed]]:
    for entry in described(app.active_bindings):
        binding = entry.binding
        # Moving a cursor is nothing that one looks for by name.
        if not binding.system:
            deed = partial(app.run_action, binding.action, entry.node)
            key = binding.key_display or key_name(binding.key)
            yield Choice(binding.tooltip or binding.description, deed, key, "mark")


def described(bindings: dict[str, ActiveBinding]) -> list[ActiveBinding]:
    """The active bindings that are ours and describe themselves; each action once."""
    found: dict[str, ActiveBinding] = {}
    for entry in bindings.values():
        binding = entry.binding
        if entry.enabled and binding.description and binding.id:
            found.setdefault(binding.action, entry)
    return list(found.values())
