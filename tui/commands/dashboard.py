"""`eventdeck`: the dashboard on the store, with a collector beside it."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from store.errors import StoreError, UsageError
from tui.commands.command import Command, Options, Parser, did_you_mean, settings_of
from tui.commands.console import Console
from tui.commands.times import add_zone, zone_asked

if TYPE_CHECKING:
    from store.analytics.registry import Known
    from store.collector.attach import Attachment
    from store.settings import Settings
    from tui.app import DeckApp
    from tui.view_state import View

log = logging.getLogger(__name__)

FIRST_ANSWER_SECONDS: Final = 3.0

EXAMPLE = """\
eventdeck
eventdeck --store ./telemetry --tz Europe/Berlin"""


def configure(parser: Parser, _words: Sequence[str]) -> None:
    add_look(parser)


def add_look(parser: Parser) -> None:
    """The options of every command that opens the dashboard."""
    add_zone(parser, "local")
    parser.add_argument(
        "--theme", choices=("dark", "light"), default="dark", help="dark (default) or light"
    )
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII signs alone")
    parser.add_argument(
        "--plugin",
        metavar="PATH",
        action="append",
        help="also the analyses of this Python file, which is run",
    )


def run(options: Options, console: Console) -> int:
    """Until it is closed; then the collector that was started for it goes as well."""
    settings = settings_of(options)
    check_terminal()
    return show(settings, options, console)


def show(
    settings: "Settings",
    options: Options,
    console: Console,
    *,
    view: "View | None" = None,
    collector: str | None = None,
    keep_view: bool = True,
) -> int:
    """The dashboard on that store. Without the address of a `collector` it attaches to one, or
    starts one, once it is on screen.
    """
    from platformdirs import user_state_path

    from store.parts.layout import StoreFolder
    from tui.app import DeckApp
    from tui.view_state import remembered

    StoreFolder.open(settings.store)
    analyses = analyses_of(options)
    view_file = user_state_path("eventdeck", appauthor=False) / "view" if keep_view else None
    if view is None and view_file is not None:
        view = remembered(view_file, now=console.now())
    beside = Beside(settings, analyses) if collector is None else None
    app = DeckApp(
        beside.open_store if beside else lambda: open_store(settings, analyses),
        collector=collector,
        clock=console.now,
        zone=zone_asked(options),
        view=view,
        view_file=view_file,
        ascii_glyphs=options.ascii or wants_ascii(),
        theme=theme_for(options.theme),
        keys=checked_keys(settings.keys),
    )
    if beside:
        beside.app = app
    return run_app(app, beside)


def checked_keys(keys: Mapping[str, str]) -> Mapping[str, str]:
    """The keys that the settings give to actions; a UsageError for an action that there is not."""
    if keys:
        from tui.keys import binding_ids

        known = binding_ids()
        for name in keys:
            if name not in known:
                hint = did_you_mean(name, sorted(known))
                raise UsageError("settings", f"no action is called {name!r}", next_step=hint)
    return keys


def run_app(app: "DeckApp", beside: "Beside | None") -> int:
    """Runs it; what goes wrong inside is raised here and not printed by Textual, whose
    tracebacks show the values of events.
    """
    app._fatal_error = app._close_messages_no_wait  # type: ignore[method-assign]  # noqa: SLF001
    try:
        app.run()
    finally:
        if beside:
            beside.close()
    if app._exception is not None:  # noqa: SLF001
        raise app._exception  # noqa: SLF001
    return app.return_code or 0


class Beside:
    """Attaches to a collector while the dashboard is already on screen."""

    def __init__(self, settings: "Settings", analyses: "Sequence[Known] | None" = None) -> None:
        """`analyses` are those that can be asked; None: all that are installed."""
        self.app: DeckApp | None = None
        self._settings = settings
        self._analyses = analyses
        self._attachment: Attachment | None = None
        self._closed = False
        self._lock = threading.Lock()

    def open_store(self) -> Any:
        """Called in the query thread, after the first frame."""
        threading.Thread(target=self._attach_in_turn, name="attach", daemon=True).start()
        return open_store(self._settings, self._analyses, tell=self._failed)

    def _failed(self, sentence: str) -> None:
        assert self.app is not None
        self._tell(self.app.failed, sentence)

    def close(self) -> None:
        """Lets go of the collector; one that was started beside ends itself then."""
        with self._lock:
            self._closed = True
            if self._attachment:
                self._attachment.close()

    def _attach_in_turn(self) -> None:
        """Starting a collector takes both cores for a second: what is stored is shown first."""
        assert self.app is not None
        self.app.runner.answered.wait(FIRST_ANSWER_SECONDS)
        self._attach()

    def _attach(self) -> None:
        from store.collector.attach import attach

        assert self.app is not None
        try:
            attachment = attach(self._settings)
        except StoreError as error:
            self._tell(self.app.failed, str(error))
            return
        with self._lock:
            if self._closed:
                attachment.close()
                return
            self._attachment = attachment
        self._tell(setattr, self.app, "collector", attachment.url)

    def _tell(self, call: Any, *what: Any) -> None:
        assert self.app is not None
        try:
            self.app.call_from_thread(call, *what)
        except RuntimeError:  # the dashboard has gone meanwhile
            return


def analyses_of(options: Options) -> "Sequence[Known] | None":
    """All analyses with those of `--plugin`, before anything is drawn, since one that is none is
    refused; None where no file is named: reading them all would delay the first picture.
    """
    if not options.plugin:
        return None
    from store.analytics.plugins import known_analyses

    return known_analyses(options.plugin)


def open_store(
    settings: "Settings",
    analyses: "Sequence[Known] | None" = None,
    *,
    tell: Callable[[str], object] = log.warning,
) -> Any:
    """The store with these analyses, else ours and those of installed packages. Of a package that
    is broken `tell` says so, and its analyses are missing.
    """
    from store.analytics.plugins import known_analyses
    from store.analytics.registry import ANALYSES
    from store.event_store import EventStore

    if analyses is None:
        try:
            analyses = known_analyses()
        except UsageError as error:
            tell(str(error))
            analyses = ANALYSES
    return EventStore(settings.store, analyses=analyses, week_start=settings.week_start)


def check_terminal() -> None:
    """A UsageError when there is nothing to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "dashboard", "this is no terminal", next_step="ask with eventdeck query … --json"
        )


def theme_for(choice: str) -> str:
    """`dark` or `light` as this terminal can show it: where there are sixteen colours, its own,
    since ours would fall together.
    """
    from rich.console import Console as Terminal
    from textual.constants import COLOR_SYSTEM

    terminal = Terminal(force_terminal=True, color_system=COLOR_SYSTEM)  # type: ignore[arg-type]
    family = "ansi" if terminal.color_system in ("standard", "windows") else "eventdeck"
    return f"{family}-{choice}"


def wants_ascii() -> bool:
    """A bare tty, or an encoding without our glyphs."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return encoding != "utf8" or os.environ.get("TERM", "") in ("linux", "vt100", "vt220", "dumb")


COMMAND = Command(
    "dashboard", "the dashboard; what `eventdeck` alone does", EXAMPLE, configure, run
)
