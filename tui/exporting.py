"""`x`: what a panel shows goes into a new file; or the whole screen, as a picture."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import Binding, BindingType

from store.errors import StoreError
from tui.copying import keep
from tui.formatting import clean, count
from tui.messages import QueryFailed, ResultReady
from tui.query_runner import QueryRunner
from tui.quitting import Quitting
from tui.store_door import Cancelled, Store
from tui.told import Told
from tui.view_state import Seen
from tui.widgets.drawn import Drawn
from tui.widgets.picker import Choice, Picker

if TYPE_CHECKING:
    import polars as pl

FORMATS: Final = {
    "csv": "for spreadsheets",
    "parquet": "with types, for programs",
    "ndjson": "a line of JSON a row",
}
SVG: Final = "svg"
ASKER: Final = "app.export"


@dataclass(frozen=True, slots=True)
class Written:
    """A new file, and how many rows it holds, of how many there are."""

    path: Path
    rows: int
    of: int


class Exporting(Quitting):
    """Puts files into the folder that one is in; never in the place of another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "export", "export this panel", show=False, id="export"),
    ]
    runner: QueryRunner

    def seen(self) -> Seen:
        """The view as it is looked at now."""
        raise NotImplementedError

    def action_export(self) -> None:
        """What has the focus; a panel that has no rows, and any screen, as a picture."""
        panel = self.focused
        told = panel.told() if isinstance(panel, Drawn) else None
        events = panel is not None and panel.id == "rows" and self.seen().view.screen == "explore"
        choices = [Choice(name, name, hint) for name, hint in FORMATS.items()]
        title = f"export {what_of(panel)}" if events or (told and told.rows) else "export"
        picker = Picker(
            title,
            [*(choices if title != "export" else []), Choice(SVG, SVG, "a picture of the screen")],
        )
        # As it is now: the picture has no box over it, and a live panel goes on meanwhile.
        picture = self.export_screenshot()
        self.push_screen(picker, partial(self._export, what_of(panel), told, picture, events))

    def _export(
        self, what: str, told: Told | None, picture: str, events: bool, how: str | None
    ) -> None:
        if how is None:
            return
        seen = self.seen()
        name = partial(file_name, seen, "screen" if how == SVG else what, how)
        if how == SVG:
            self.runner.ask(ASKER, lambda *_: _kept(picture, name), self)
        elif events:
            self.runner.ask(ASKER, _of_events(seen, how, name), self)
        elif told is not None:
            self.runner.ask(ASKER, lambda *_: _of_panel(told, how, name), self)

    def on_result_ready(self, message: ResultReady) -> None:
        if message.asker != ASKER:
            return
        written: Written = message.result
        rows = f"{count(written.rows)} rows" if written.rows else "a picture"
        if written.rows < written.of:
            rows = f"the {count(written.rows)} rows that are here, of {count(written.of)}"
        self.notify(f"{rows}: {clean(str(written.path))}", markup=False, timeout=8)

    def on_query_failed(self, message: QueryFailed) -> None:
        if message.asker == ASKER:
            self.notify(clean(message.sentence), markup=False, severity="error", timeout=8)


def what_of(panel: Any) -> str:
    """A panel's name: its title where it says what it shows, else its id."""
    title = str(getattr(panel, "border_title", "") or "")
    words = re.sub(r"[^\w]+", "-", title.lower(), flags=re.ASCII).strip("-")[:40].rstrip("-")
    return words or (getattr(panel, "id", None) or "panel")


def file_name(seen: Seen, what: str, suffix: str, again: int = 0) -> Path:
    """`eventdeck-funnel-steps-20261122-140327.csv`, in the folder that one is in."""
    when: datetime = seen.now.astimezone(seen.zone)
    number = f"-{again + 1}" if again else ""
    name = f"eventdeck-{seen.view.screen}-{what}-{when:%Y%m%d-%H%M%S}{number}.{suffix}"
    return Path.cwd() / name


Name = Callable[..., Path]


def _new(name: Name) -> Iterator[Path]:
    """Names until one is free; it may be taken by another meanwhile, which `keep` finds."""
    yield from (name(again=again) for again in range(100) if not name(again=again).exists())


def _kept(content: str | bytes, name: Name, rows: int = 0, of: int | None = None) -> Written:
    path = next(_new(name))
    try:
        keep(content, path)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise StoreError("export", said, place=str(path)) from None
    return Written(path, rows, rows if of is None else of)


def _of_panel(told: Told, how: str, name: Name) -> Written:
    return _kept(content_of(told, how), name, len(told.rows), told.of)


def content_of(told: Told, how: str) -> bytes:
    """The bytes of a file; texts that a spreadsheet would take for a formula are marked in CSV."""
    from store.exporter.exports import FORMATS as KNOWN

    frame = frame_of(told)
    if how == "parquet":
        out = io.BytesIO()
        frame.write_parquet(out)
        return out.getvalue()
    writer = next(each for each in KNOWN if each.name == how)
    text = io.BytesIO()
    with writer.writing(text, dict(frame.schema)) as write:
        write(frame)
    return text.getvalue()


def frame_of(told: Told) -> "pl.DataFrame":
    """Columns of one type each: texts where values differ in theirs."""
    import polars as pl

    by_column = zip(*told.rows, strict=True) if told.rows else ([] for _ in told.columns)
    return pl.DataFrame(
        [
            pl.Series(column, _alike(values), strict=False)
            for column, values in zip(told.columns, by_column, strict=True)
        ]
    )


def _alike(values: Sequence[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds == {int, float}:
        return [float(v) if kinds == {int, float} and v is not None else v for v in values]
    return [None if value is None else str(value) for value in values]


def _of_events(seen: Seen, how: str, name: Name) -> Callable[[Store, Cancelled], Written]:
    """All events of the view, whatever of them is on the screen."""

    def work(store: Store, _cancelled: Cancelled) -> Written:
        from store.exporter.exports import export_file

        path = next(_new(name))
        where = seen.view.where or None
        exported = export_file(path, store=store, format=how, span=seen.span, where=where)  # type: ignore[arg-type]
        return Written(path, exported.events, exported.events)

    return work
