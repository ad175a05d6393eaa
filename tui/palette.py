"""The palette: every action with its key, and what has no key."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.theme import THEMES
from tui.widgets.footer import key_name

Command = tuple[str, str, Callable[[], Any]]
"""What it does, its key (or nothing), and the deed."""


class Actions(Provider):
    """All that can be done on the screen that the palette was opened over."""

    async def discover(self) -> Hits:
        for name, key, deed in self._commands():
            yield DiscoveryHit(_display(Content(name), key), deed, text=name)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, key, deed in self._commands():
            if (score := matcher.match(name)) > 0:
                shown = matcher.highlight(name)
                yield Hit(score, _display(shown, key), deed, text=name)

    def _commands(self) -> Iterator[Command]:
        app = self.app
        seen = set()
        for node, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.description and binding.id and enabled and binding.action not in seen:
                seen.add(binding.action)
                deed = partial(app.run_action, binding.action, node)
                yield binding.description, binding.key_display or key_name(binding.key), deed
        for theme in THEMES:
            yield f"theme: {theme.name}", "", partial(setattr, app, "theme", theme.name)
        for name in ("ansi-dark", "ansi-light"):
            yield f"theme: {name}", "", partial(setattr, app, "theme", name)


def _display(name: Content, key: str) -> Content:
    gap = " " * max(1, 44 - name.cell_length)
    return Content.assemble(name, gap, (key, "$role-mark bold"))
