"""What a person can do with the view, from any screen: the keys of the frame."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from store.timespan import TimeSpan, duration_text
from tui.copying import files_for, is_too_long, keep, read_file
from tui.exporting import Exporting
from tui.filtering import Suggestions, matches
from tui.formatting import clean, length, moment
from tui.messages import (
    AttributePicked,
    FilterPicked,
    FilterTyped,
    QueryFailed,
    ResultReady,
    RowsWanted,
    SortPicked,
    SpanPicked,
    StoreChanged,
)
from tui.palette import Deed, commands, described
from tui.query_runner import QueryRunner
from tui.span_text import read_span
from tui.view_state import LENGTHS, History, View
from tui.widgets.filter_bar import FilterBar
from tui.widgets.help import Help, sections
from tui.widgets.picker import Choice, Picker

# What one breaks down by most, first in the list.
USUAL_ATTRIBUTES: Final = (
    *("event_name", "service_name", "service_version", "severity_class", "event_type"),
    *("user_id", "component", "session_id", "source"),
)


class Viewing(Exporting):
    """The view, its history, and the actions on it; the app says what a new view entails."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", tooltip="filter the events", id="filter"),
        Binding("t", "span", "span", tooltip="choose what time to look at", id="span"),
        Binding("b", "by", "break down by an attribute", show=False, id="by"),
        Binding("p", "compare", "compare with the previous period", show=False, id="compare"),
        Binding(
            "plus,equals_sign", "zoom(True)", "zoom in: half the time", show=False, id="zoom.in"
        ),
        Binding("minus", "zoom(False)", "zoom out: twice the time", show=False, id="zoom.out"),
        Binding("left_square_bracket", "pan(True)", "go earlier", show=False, id="pan.earlier"),
        Binding("right_square_bracket", "pan(False)", "go later", show=False, id="pan.later"),
        Binding("0", "follow", "back to live", show=False, id="follow"),
        Binding("space", "pause", "pause or resume the view", show=False, id="pause"),
        Binding("alt+left", "undo", "back to the view before", show=False, id="history.back"),
        Binding("alt+right", "redo", "on to the view after", show=False, id="history.forward"),
        Binding("y", "copy_view", "copy the view as a command", show=False, id="copy"),
        Binding("question_mark", "help", "help", tooltip="the keys that act here", id="help"),
        Binding("q", "quit", "quit", show=False, id="quit"),
    ]

    history: History
    runner: QueryRunner
    stored: StoreChanged | None
    zone: tzinfo
    _suggestions: Suggestions

    @property
    def view(self) -> View:
        return self.history.current

    def now(self) -> datetime:
        """The instant that the view takes for now."""
        raise NotImplementedError

    def view_changed(self, before: View) -> None:
        """The history stands on another view than `before`."""
        raise NotImplementedError

    def look_at(self, view: View) -> None:
        """Goes to a view; the one before is on the undo stack."""
        if view.screen not in self.MODES:
            view = self.on_screen(self.view.screen, view)
        before = self.view
        self.history.go(view)
        self.view_changed(before)

    def on_screen(self, mode: str, view: View) -> View:
        """`view` on a screen, with the settings of its own that the screen was left with."""
        return replace(view, screen=mode, options=self.history.options_of(mode))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that were typed after `q` do nothing: what they open would find no app."""
        return False if self._exit else super().check_action(action, parameters)

    # What was picked in a widget

    def on_span_picked(self, message: SpanPicked) -> None:
        self._pick_span(message.span)

    def _pick_span(self, span: timedelta | TimeSpan | None) -> None:
        if isinstance(span, timedelta):
            self.look_at(replace(self.view, span=span, paused=False))
        elif span is not None:
            self.look_at(self.view.on(span, self.now()))

    def on_filter_picked(self, message: FilterPicked) -> None:
        self.look_at(replace(self.view, where=message.where))

    def on_attribute_picked(self, message: AttributePicked) -> None:
        self.look_at(replace(self.view, by=message.attribute))

    def on_sort_picked(self, message: SortPicked) -> None:
        self.look_at(replace(self.view, sort=message.column, reverse=message.reverse))

    def on_rows_wanted(self, message: RowsWanted) -> None:
        view = replace(self.view, where=narrowed(self.view.where, message.terms), sort="", by="")
        if message.span:
            view = view.on(message.span, self.now())
        self.look_at(self.on_screen("explore", view))

    # Keys

    def action_go(self, mode: str) -> None:
        self.look_at(self.on_screen(mode, self.view))

    def action_zoom(self, inwards: bool) -> None:
        now = self.now()
        self.look_at(self.view.zoomed_in(now) if inwards else self.view.zoomed_out(now))

    def action_pan(self, back: bool) -> None:
        self.look_at(self.view.panned(self.now(), back=back))

    def action_follow(self) -> None:
        self.look_at(self.view.following())

    def action_pause(self) -> None:
        view = self.view
        self.look_at(replace(view, paused=not view.paused) if view.live else view.following())

    def action_compare(self) -> None:
        self.look_at(replace(self.view, compare=not self.view.compare))

    def action_undo(self) -> None:
        before = self.view
        self.history.back()
        self.view_changed(before)

    def action_redo(self) -> None:
        before = self.view
        self.history.forward()
        self.view_changed(before)

    def action_copy_view(self) -> None:
        self.copy_text(f"eventdeck open {shlex.quote(self.view_to_copy().text())}")

    def view_to_copy(self) -> View:
        """The view in full, so that it means the same elsewhere."""
        return self.view

    def copy_text(self, text: str) -> None:
        """To the clipboard through the terminal (OSC 52), which works over SSH."""
        if is_too_long(text):
            title = "too long for the terminal's clipboard: keep it in a file?"
            files = files_for(text, self.now().astimezone(self.zone))
            picker = Picker(title, files, placeholder="another file", read=read_file)
            self.push_screen(picker, partial(self._keep_copy, text))
            return
        self.copy_to_clipboard(text)
        self.notify(f"copied: {clean(text)}", markup=False, timeout=3)

    def _keep_copy(self, text: str, path: Path | None) -> None:
        if path is None:
            return
        try:
            keep(text, path)
        except OSError as error:
            said = f"{path}: {(error.strerror or str(error)).lower()}"
            self.notify(clean(said), markup=False, severity="error")
        else:
            self.notify(f"kept in {clean(str(path))}", markup=False)

    def action_filter(self) -> None:
        self._suggestions = Suggestions(self.view.at(self.now()))
        self.screen.query_one(FilterBar).open(self.view.where)

    def on_filter_typed(self, message: FilterTyped) -> None:
        span = self.view.at(self.now())
        self.runner.ask("app.matches", matches(message.text, span), self)
        work = self._suggestions.work(message.text, message.cursor)
        self.runner.ask("app.completion", work, self)

    def on_filter_left(self) -> None:
        self.runner.cancel("app.matches")
        self.runner.cancel("app.completion")

    def action_span(self) -> None:
        picker = Picker(
            "what time to look at",
            self._spans(),
            placeholder="15m, yesterday 14:00 to 15:00, 2026-11-21, …",
            read=self._read_span,
        )
        self.push_screen(picker, self._pick_span)

    def _spans(self) -> Sequence[Choice[timedelta | TimeSpan]]:
        now, zone = self.now(), self.zone
        choices: list[Choice[timedelta | TimeSpan]] = [
            Choice(f"last {duration_text(rung)}", rung, "live") for rung in LENGTHS[3:-2]
        ]
        for text in ("today", "yesterday"):
            span = read_span(text, now=now, zone=zone)
            assert isinstance(span, TimeSpan)
            choices.append(Choice(text, span, _spoken(span, now, zone)))
        if self.stored and self.stored.span:
            span = self.stored.span
            choices.append(Choice("all that is stored", span, _spoken(span, now, zone)))
        return choices

    def _read_span(self, text: str) -> tuple[timedelta | TimeSpan, str]:
        span = read_span(text, now=self.now(), zone=self.zone)
        if isinstance(span, timedelta):
            return span, f"the last {length(span)}, live"
        return span, _spoken(span, self.now(), self.zone)

    def action_by(self) -> None:
        """The attributes are asked for first: the store knows them."""
        self.runner.ask("app.attributes", lambda store, _: sorted(store.column_types()), self)

    def on_result_ready(self, message: ResultReady) -> None:
        match message.asker:
            case "app.attributes":
                picker = Picker("break down by", _attributes(message.result))
                self.push_screen(picker, self._pick_by)
            case "app.matches":
                self.screen.query_one(FilterBar).show_matches(*message.result)
            case "app.completion":
                self.screen.query_one(FilterBar).show_completion(message.result)

    def on_query_failed(self, message: QueryFailed) -> None:
        if message.asker == "app.matches":
            self.screen.query_one(FilterBar).show_fault(message.sentence)

    def _pick_by(self, attribute: str | None) -> None:
        if attribute is not None:
            self.look_at(replace(self.view, by=attribute))

    def action_command_palette(self) -> None:
        """In place of Textual's: the same box as for spans and attributes."""
        picker = Picker("what to do", commands(self), placeholder="type to search")
        self.push_screen(picker, self._do)

    def _do(self, deed: Deed | None) -> None:
        if deed is not None:
            # Once the box is gone: the action is meant for the screen below it.
            self.call_after_refresh(deed)

    def action_help(self) -> None:
        focused = self.focused
        title = clean(str(focused.border_title or "")) if focused else ""
        about = (focused.HELP if focused else None) or ""
        self.push_screen(
            Help(title or "help", about, sections(described(self.active_bindings), focused))
        )


def narrowed(where: str, terms: Sequence[tuple[str, str]]) -> str:
    """The filter with these attribute values wanted as well."""
    from store.analytics.filters import parse_filter, term

    wanted = parse_filter(where or None)
    for attribute, value in terms:
        wanted = wanted.and_(term(attribute, "=", value))
    return wanted.text()


def _spoken(span: TimeSpan, now: datetime, zone: tzinfo) -> str:
    return f"{moment(span.start, zone, now)} to {moment(span.end, zone, now)}"


def _attributes(names: Sequence[str]) -> list[Choice[str]]:
    usual = [name for name in USUAL_ATTRIBUTES if name in names or name == "severity_class"]
    rest = [name for name in names if name not in USUAL_ATTRIBUTES and not name.startswith("_")]
    return [Choice("nothing", ""), *(Choice(name, name) for name in (*usual, *rest))]
