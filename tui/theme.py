"""How things look: two themes of our own, and the styles and glyphs that any theme gives.

Drawing code names a role (`error`, `dim`, `p95`), never a colour. A Look turns the role into a Rich
style for what the terminal can do: all colours, sixteen, or none; and it holds the glyphs, also
those for a terminal that has ASCII alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Literal

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.strip import Strip
from textual.theme import Theme

from tui.glyphs import ASCII, FULL, Glyphs

Colours = Literal["full", "16", "none"]

# Three greys do the typography: bright the number, text the name, dim its unit; faint is furniture.
_DARK: Final = {
    "background": "#0d1117",
    "panel": "#161b22",
    "text": "#c9d1d9",
    "bright": "#f0f6fc",
    "dim": "#6e7a8a",
    "faint": "#30373f",
    "primary": "#7aa2f7",
    "live": "#3fb6a8",
    "good": "#3fb6a8",
    "bad": "#ff6b6b",
    "info": "#4f9cf0",
    "warning": "#e6a23c",
    "error": "#ff6b6b",
    "other": "#5a6b85",
    "p50": "#56b6c2",
    "p95": "#e5c07b",
    "p99": "#ff7b72",
    "mark": "#e5c07b",
    "muted": "#3d5a86",
    "selection": "#1d2b3f",
}
_LIGHT: Final = {
    "background": "#ffffff",
    "panel": "#f3f5f8",
    "text": "#24292f",
    "bright": "#0b0f14",
    "dim": "#6a737d",
    "faint": "#d0d7de",
    "primary": "#1f5fbf",
    "live": "#0b7a6f",
    "good": "#0b7a6f",
    "bad": "#c8223b",
    "info": "#3a7bc8",
    "warning": "#b35900",
    "error": "#c8223b",
    "other": "#8896a8",
    "p50": "#0b7285",
    "p95": "#9a6700",
    "p99": "#c8223b",
    "mark": "#9a6700",
    "muted": "#9db8dd",
    "selection": "#dbe9fb",
}
ROLES: Final = tuple(_DARK)

# Sixteen colours: the terminal's own palette, so the names must read on any of them. `dim` is
# the attribute, since bright black is the background itself in some palettes (Solarized).
_ANSI_DARK: Final = {
    "bright": "bright_white",
    "faint": "bright_black",
    "primary": "bright_blue",
    "live": "bright_cyan",
    "good": "bright_cyan",
    "bad": "bright_red",
    "info": "bright_blue",
    "warning": "bright_yellow",
    "error": "bright_red",
    "other": "bright_black",
    "p50": "bright_cyan",
    "p95": "bright_yellow",
    "p99": "bright_red",
    "mark": "bright_yellow",
    "muted": "blue",
}
_ANSI_LIGHT: Final = {
    **{role: name.removeprefix("bright_") for role, name in _ANSI_DARK.items()},
    "bright": "black",
    "faint": "white",
    "other": "bright_black",
    "muted": "cyan",
}
_STRONG: Final = frozenset({"bright", "error", "bad", "p99", "primary", "live", "mark"})
_WEAK: Final = frozenset({"dim", "faint", "p50", "other", "muted"})


def _theme(name: str, palette: Mapping[str, str], *, dark: bool) -> Theme:
    return Theme(
        name=name,
        primary=palette["primary"],
        secondary=palette["info"],
        accent=palette["mark"],
        warning=palette["warning"],
        error=palette["error"],
        success=palette["good"],
        foreground=palette["text"],
        background=palette["background"],
        surface=palette["panel"],
        panel=palette["panel"],
        dark=dark,
        variables={f"role-{role}": colour for role, colour in palette.items()},
    )


DARK: Final = _theme("eventdeck-dark", _DARK, dark=True)
LIGHT: Final = _theme("eventdeck-light", _LIGHT, dark=False)
THEMES: Final = (DARK, LIGHT)


# Compared by identity: look_of gives the same Look for the same theme, so it can key caches.
@dataclass(frozen=True, eq=False)
class Look:
    """What a role looks like on this terminal; the same object as long as nothing changed."""

    colour: Colours
    glyphs: Glyphs
    dark: bool
    palette: Mapping[str, str]

    @lru_cache(maxsize=512)  # noqa: B019  Looks are few and live as long as the program
    def style(self, role: str, *, bold: bool = False, on: str = "") -> Style:
        """The Rich style of `role`; `on` names a role for the background (full colour alone)."""
        if self.colour == "none":
            strong, weak = role in _STRONG, role in _WEAK
            return Style(bold=bold or strong or None, dim=(weak and not bold) or None)
        weak = self.colour == "16" and role == "dim"
        return Style(
            color=self.palette.get(role),
            bgcolor=self.palette.get(on) if on and self.colour == "full" else None,
            bold=bold or None,
            dim=weak or None,
        )

    @lru_cache(maxsize=4096)  # noqa: B019
    def shade(self, role: str, share: float, *, on: str = "background") -> Style:
        """The role's colour, `share` of it over the background; the plain role below full."""
        if self.colour != "full":
            return self.style(role)
        ground = Color.parse(self.palette[on])
        return Style(color=ground.blend(Color.parse(self.palette[role]), share).hex6)

    @lru_cache(maxsize=4096)  # noqa: B019
    def solid(self, style: Style) -> Style:
        """The style with its colour as the background too: no seams between full blocks."""
        return style if self.colour == "none" else style + Style(bgcolor=style.color)

    def ground(self, role: str = "background") -> Style:
        """The background alone, to finish a Line API strip with."""
        return Style(bgcolor=self.palette[role]) if self.colour == "full" else Style()

    def select(self, strip: Strip) -> Strip:
        """The strip as the selected row; one style for all of it where colours are few, since
        reversed segments of many colours make a patchwork.
        """
        if self.colour == "full":
            return strip.apply_style(Style(bgcolor=self.palette["selection"]))
        return Strip([Segment(strip.text, Style(reverse=True))], strip.cell_length)


def look_of(app: App[Any]) -> Look:
    """The Look of the app's theme and terminal; `app.ascii_glyphs`, if true, asks for ASCII."""
    colour: Colours = "none" if app.no_color else "16" if app.native_ansi_color else "full"
    glyphs = ASCII if getattr(app, "ascii_glyphs", False) else FULL
    return look(app.current_theme, colour, glyphs)


def look(theme: Theme = DARK, colour: Colours = "full", glyphs: Glyphs = FULL) -> Look:
    """The Look of a theme; works for any of Textual's, by deriving the roles it does not name."""
    return _looks(theme.name, colour, glyphs.name, _Hidden(theme))


@dataclass(frozen=True)
class _Hidden:
    """A theme that does not take part in the cache key: its name does."""

    theme: Theme

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden)

    def __hash__(self) -> int:
        return 0


@cache
def _looks(_name: str, colour: Colours, glyphs: str, hidden: _Hidden) -> Look:
    theme = hidden.theme
    palette = _ansi(theme) if colour == "16" else role_colours(theme)
    return Look(colour, ASCII if glyphs == "ascii" else FULL, theme.dark, palette)


def _ansi(theme: Theme) -> Mapping[str, str]:
    return _ANSI_DARK if theme.dark else _ANSI_LIGHT


def role_colours(theme: Theme) -> dict[str, str]:
    """Role -> `#rrggbb`: what the theme says, the rest mixed out of its few colours."""
    if theme.ansi:
        return dict(_DARK if theme.dark else _LIGHT)
    generated = theme.to_color_system().generate()
    base = {
        name: Color.parse(generated[name])
        for name in ("primary", "secondary", "warning", "error", "success", "accent")
    }
    text, ground = Color.parse(generated["foreground"]), Color.parse(generated["background"])
    derived = {
        "background": ground,
        "panel": Color.parse(generated["surface"]),
        "text": text,
        "bright": text.blend(Color(255, 255, 255) if theme.dark else Color(0, 0, 0), 0.5),
        "dim": text.blend(ground, 0.45),
        "faint": text.blend(ground, 0.78),
        "live": base["success"],
        "good": base["success"],
        "bad": base["error"],
        "info": base["primary"],
        "other": text.blend(ground, 0.6),
        "p50": base["primary"],
        "p95": base["warning"],
        "p99": base["error"],
        "mark": base["accent"],
        "muted": base["primary"].blend(ground, 0.5),
        "selection": base["primary"].blend(ground, 0.75),
        **{name: base[name] for name in ("primary", "warning", "error")},
    }
    said = {role: theme.variables.get(f"role-{role}") for role in ROLES}
    return {role: said[role] or derived[role].hex6 for role in ROLES}


def css_variables(theme: Theme) -> dict[str, str]:
    """`$role-dim`, `$role-faint`, … for style sheets under any theme: merge them into what
    `App.get_css_variables` gives.
    """
    if not theme.ansi:
        return {f"role-{role}": colour for role, colour in role_colours(theme).items()}
    names = _ansi(theme)
    return {f"role-{role}": f"ansi_{names.get(role, 'default')}" for role in ROLES}
