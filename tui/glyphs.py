"""The signs that are drawn: the full set, and one for a terminal that has ASCII alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Every sign that is drawn, each one cell wide; `eighths` and `braille` say what plots have."""

    name: str = "full"
    border: str = "round"
    """Textual's name of the border of a panel."""
    up: str = "▲"
    down: str = "▼"
    same: str = "▬"
    nothing: str = "·"
    """Zero and absent."""
    new: str = "✦"
    gone: str = "✧"
    live: str = "●"
    detached: str = "◌"
    paused: str = "‖"
    bar: str = "▍"
    times: str = "×"
    minus: str = "−"
    ellipsis: str = "…"
    micro: str = "µ"
    received: str = "↓"
    sorted_down: str = "▾"
    sorted_up: str = "▴"
    mark: str = "▾"
    stem: str = "┊"
    grid: str = "┈"
    axis: str = "─"
    tick: str = "┴"
    brush: str = "━"
    brush_start: str = "┝"
    brush_end: str = "┥"
    line: str = "━"
    line_left: str = "╸"
    line_right: str = "╺"
    dot: str = "•"
    dotted: str = "···"
    folded: str = "▸"
    unfolded: str = "▾"
    before: str = "◂"
    rule: str = "─"
    rail: str = "│"
    thumb: str = "┃"
    eighths: str = " ▁▂▃▄▅▆▇█"
    lefts: str = " ▏▎▍▌▋▊▉█"
    """As `eighths`, from the left; where signs are ASCII, bars are made of `shades`."""
    shades: str = "░▒▓█"
    """From the lightest to the full one."""
    braille: bool = True
    severity: Mapping[str, str] = field(
        default_factory=lambda: {
            "fatal": "◆",
            "error": "●",
            "warning": "▲",
            "info": "■",
            "debug": "▫",
            "trace": "▫",
            "other": "▫",
            "": "·",
        }
    )
    fill: Mapping[str, str] = field(
        default_factory=lambda: {"error": "█", "warning": "▓", "info": "░", "other": "▒"}
    )
    """What a stack is filled with where there is no colour."""


FULL: Final = Glyphs()
ASCII: Final = Glyphs(
    name="ascii",
    border="ascii",
    up="^",
    down="v",
    same="=",
    nothing=".",
    new="*",
    gone="-",
    live="*",
    detached="o",
    paused="#",
    bar="|",
    times="x",
    minus="-",
    ellipsis="~",
    micro="u",
    received="<",
    sorted_down=">",
    sorted_up="<",
    mark="v",
    stem="|",
    grid=" ",
    axis="-",
    tick="+",
    brush="=",
    brush_start="[",
    brush_end="]",
    line="-",
    line_left="-",
    line_right="-",
    dot="*",
    dotted="...",
    folded=">",
    unfolded="v",
    before="<",
    rule="-",
    rail=" ",
    thumb="|",
    eighths=" .:-=+*##",
    lefts=" .:-=+*##",
    shades=".:+#",
    braille=False,
    severity={
        "fatal": "F",
        "error": "E",
        "warning": "W",
        "info": ":",
        "debug": "d",
        "trace": "t",
        "other": "o",
        "": ".",
    },
    fill={"error": "E", "warning": "W", "info": ":", "other": "o"},
)
