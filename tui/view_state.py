"""What a person looks at, as one frozen value: every screen draws the same view.

A view goes on an undo stack, is restored at the next start, and is copied as text that
`eventdeck open` takes: `overview?last=15m&where=severity>=warning&by=service_name`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, quote

from store.errors import StoreError, UsageError
from store.timespan import (
    ROUND_WIDTHS,
    TimeSpan,
    ceil,
    duration_text,
    iso,
    parse_duration,
    parse_instant,
)
from tui.screens import SCREENS

LENGTHS: Final = tuple(
    parse_duration(text)
    for text in [
        "10s",
        "30s",
        "1m",
        "2m",
        "5m",
        "15m",
        "30m",
        "1h",
        "3h",
        "6h",
        "12h",
        "1d",
        "2d",
        "7d",
        "14d",
        "30d",
        "90d",
        "365d",
    ]
)
LENGTH_MIN: Final = timedelta(milliseconds=10)
LENGTH_MAX: Final = timedelta(days=3650)
# A live span moves in steps of this share of its length, so that a tick asks nothing new between.
GRID_SHARE: Final = 900
HISTORY_MAX: Final = 100
# What needs no escape in the text of a view; quotes, `&`, `%`, `+` and controls do.
_OR: Final = re.compile(r"\bor\b", re.IGNORECASE)
_PLAIN: Final = " =<>!~,.:*()/@$^|[]{}-_"
_PARTS: Final = ("last", "since", "until", "where", "by", "sort", "compare")

Options = tuple[tuple[str, str], ...]
"""Names and texts, sorted by name; none is empty."""


@dataclass(frozen=True, slots=True)
class View:
    """One way of looking at the store."""

    screen: str = "overview"
    span: timedelta | TimeSpan = timedelta(minutes=15)
    """A length follows now; a TimeSpan stands still."""
    where: str = ""
    """A filter as `store.analytics.filters` reads it; empty is no filter."""
    by: str = ""
    """The attribute to break down by; empty is the screen's own."""
    sort: str = ""
    """The column to sort by; empty is the screen's own."""
    reverse: bool = False
    compare: bool = True
    """Against the span just before."""
    paused: bool = False
    """The clock of this view stands; the collector goes on."""
    options: Options = ()
    """The screen's own settings: those that its entry in SCREENS names."""

    @property
    def live(self) -> bool:
        """True while the view follows now."""
        return isinstance(self.span, timedelta)

    @property
    def length(self) -> timedelta:
        return self.span if isinstance(self.span, timedelta) else self.span.length

    def at(self, now: datetime) -> TimeSpan:
        """The span that is seen at `now`; a live one ends at the next step of its grid."""
        if isinstance(self.span, TimeSpan):
            return self.span
        end = ceil(now, grid(self.span))
        return TimeSpan(end - self.span, end)

    def zoomed_in(self, now: datetime) -> Self:
        """Half as long: the right edge stays when live, else the middle."""
        return self._zoomed(now, inwards=True)

    def zoomed_out(self, now: datetime) -> Self:
        return self._zoomed(now, inwards=False)

    def _zoomed(self, now: datetime, *, inwards: bool) -> Self:
        if isinstance(self.span, timedelta):
            return replace(self, span=next_length(self.span, inwards=inwards))
        length = self.span.length / 2 if inwards else self.span.length * 2
        length = min(max(length, LENGTH_MIN), LENGTH_MAX)
        start = self.span.start + (self.span.length - length) / 2
        return self.on(TimeSpan(start, start + length), now)

    def panned(self, now: datetime, *, back: bool) -> Self:
        """Half a span to either side; a view that reaches now follows it again."""
        seen = self.at(now)
        return self.on(seen.shifted(-seen.length / 2 if back else seen.length / 2), now)

    def on(self, span: TimeSpan, now: datetime) -> Self:
        """Standing on `span`; one that would end after now follows now instead."""
        if span.end > now + grid(span.length) and span.start < now:
            return replace(self, span=span.length, paused=False)
        return replace(self, span=span, paused=False)

    def following(self) -> Self:
        """Back to now with the same length."""
        return replace(self, span=self.length, paused=False)

    def narrowed(self, term: str) -> Self:
        """With one more filter term; alternatives go into parentheses, since it is for them all."""
        where = f"({self.where})" if _OR.search(self.where) else self.where
        return replace(self, where=f"{where} {term}".strip())

    def option(self, name: str, default: str = "") -> str:
        """The screen's own setting of that name; `default` where it is not set."""
        return dict(self.options).get(name, default)

    def with_option(self, name: str, text: str) -> Self:
        """With one of the screen's own settings; an empty text is none."""
        options = {**dict(self.options), name: text}
        return replace(self, options=_options(options))

    def text(self) -> str:
        """The view as `View.parse` reads it; what stands at its default is left out."""
        if isinstance(self.span, TimeSpan):
            span = {"since": iso(self.span.start), "until": iso(self.span.end)}
        else:
            span = {"last": duration_text(self.span)}
        sort = f"-{self.sort}" if self.reverse else self.sort
        rest = {"where": self.where, "by": self.by, "sort": sort}
        if not self.compare:
            rest["compare"] = "off"
        named = {**span, **{name: value for name, value in rest.items() if value}}
        named |= dict(self.options)
        return f"{self.screen}?" + "&".join(f"{n}={quote(v, _PLAIN)}" for n, v in named.items())

    @classmethod
    def parse(cls, text: str, *, now: datetime, zone: tzinfo = UTC) -> Self:
        """The view of such a text; a UsageError names the part that is wrong."""
        screen, _, rest = text.partition("?")
        given = dict(parse_qsl(rest, keep_blank_values=True))
        screen = screen or cls().screen
        own = {name: text for name, text in given.items() if name not in _PARTS}
        _check_options(screen, own)
        sort = given.get("sort", "")
        return cls(
            screen=screen,
            span=_span(given, now, zone),
            where=given.get("where", ""),
            by=given.get("by", ""),
            sort=sort.removeprefix("-"),
            reverse=sort.startswith("-"),
            compare=given.get("compare", "previous") != "off",
            options=_options(own),
        )


def _options(texts: Mapping[str, str]) -> Options:
    return tuple(sorted((name, text) for name, text in texts.items() if text))


def _check_options(screen: str, own: Iterable[str]) -> None:
    """A UsageError names one that the screen does not know; an unknown screen's are let through,
    since it is the screen that is wrong then.
    """
    known = next((entry.options for entry in SCREENS if entry.mode == screen), tuple(own))
    if unknown := sorted(set(own) - set(known)):
        hint = f"known: {', '.join((*_PARTS, *known))}"
        raise UsageError("view", f"there is no {unknown[0]!r} on {screen}", next_step=hint)


def _span(given: dict[str, str], now: datetime, zone: tzinfo) -> timedelta | TimeSpan:
    if "since" not in given and "until" not in given:
        return parse_duration(given["last"]) if "last" in given else View().span
    end = parse_instant(given.get("until", "now"), now=now, zone=zone)
    if "since" in given:
        return TimeSpan(parse_instant(given["since"], now=now, zone=zone), end)
    return TimeSpan(end - parse_duration(given.get("last", "15m")), end)


def grid(length: timedelta) -> timedelta:
    """The round step in which a live span of this length moves, as the store cuts its edges."""
    return max((w for w in ROUND_WIDTHS if w <= length / GRID_SHARE), default=ROUND_WIDTHS[0])


def next_length(length: timedelta, *, inwards: bool) -> timedelta:
    """The next shorter or longer of LENGTHS; `length` itself at either end."""
    if inwards:
        return max((rung for rung in LENGTHS if rung < length), default=length)
    return min((rung for rung in LENGTHS if rung > length), default=length)


@dataclass(slots=True)
class History:
    """The views before and after this one; bounded."""

    current: View
    before: list[View] = field(default_factory=list)
    after: list[View] = field(default_factory=list)

    def go(self, view: View) -> None:
        """Look at `view` next; what was undone is forgotten."""
        if view == self.current:
            return
        self.before = [*self.before, self.current][-HISTORY_MAX:]
        self.after = []
        self.current = view

    def options_of(self, screen: str) -> Options:
        """The settings that a screen was left with."""
        seen = (self.current, *reversed(self.before))
        return next((view.options for view in seen if view.screen == screen), ())

    def back(self) -> View:
        if self.before:
            self.after.append(self.current)
            self.current = self.before.pop()
        return self.current

    def forward(self) -> View:
        if self.after:
            self.before.append(self.current)
            self.current = self.after.pop()
        return self.current


def remembered(path: Path, *, now: datetime) -> View | None:
    """The view that `remember` kept; None when there is none that can be read."""
    try:
        return View.parse(path.read_text(encoding="utf-8").strip(), now=now)
    except (OSError, UnicodeDecodeError, StoreError):
        return None


def remember(path: Path, view: View) -> None:
    """Keeps the view for the next start; a folder that cannot be written is no fault."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(view.text() + "\n", encoding="utf-8")
    except OSError:
        return


@dataclass(frozen=True, slots=True)
class Seen:
    """A view at an instant: what a screen asks for and draws."""

    view: View
    span: TimeSpan
    now: datetime
    zone: tzinfo
