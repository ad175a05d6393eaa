"""The cell diff in a running app: the picture of stock Textual, for a fraction of its bytes."""

import time

from textual import events
from textual.app import App
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Size
from textual.messages import TerminalSupportsSynchronizedOutput
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, Static

from tests.tui.terminals import TerminalDriver, on_terminal, settle
from tui.cell_diff import CellDiff
from tui.formatting import clean
from tui.theme import THEMES

WORDS = [
    "tool_error",
    "日本語のエラー",
    "👩\u200d👩\u200d👧 family",
    "e\u0301\u0301té",
    "\x1b[31mred",
    "ひらがな",
]


class Ask(ModalScreen):
    CSS = "Ask { align: center middle; background: $background 60%; } Input { width: 30; }"

    def compose(self):
        yield Input("what?")


class Deck:
    CSS = """
    #left { width: 1fr; border: round $primary; }
    #right { width: 24; border: round red; }
    VerticalScroll { scrollbar-size-vertical: 1; }
    """

    def compose(self):
        with Horizontal():
            with VerticalScroll(id="left"):
                for number in range(30):
                    yield Static(clean(f"{number} {WORDS[number % 6]}"), markup=False)
            yield DataTable(id="right")
        yield Static("clock", id="clock")
        yield Input(id="input")

    def on_mount(self):
        for theme in THEMES:
            self.register_theme(theme)
        table = self.query_one(DataTable)
        table.add_columns("name", "count")
        table.add_rows((clean(WORDS[n % 6]), n * 37) for n in range(40))


class StockDeck(Deck, App):
    pass


class DiffDeck(Deck, CellDiff):
    pass


async def ticked(pilot):
    pilot.app.query_one("#clock").update(f"clock {int(time.monotonic() * 0)} 14:03:28 服务")


async def scrolled(pilot):
    pilot.app.query_one("#left").scroll_to(y=7, animate=False)


async def selected(pilot):
    pilot.app.query_one(DataTable).move_cursor(row=5)


async def asked(pilot):
    await pilot.app.push_screen(Ask())


async def typed(pilot):
    await pilot.press("h", "e", "y")


async def answered(pilot):
    await pilot.app.pop_screen()


async def themed(pilot):
    pilot.app.theme = "eventdeck-light"


async def resized(pilot):
    driver = pilot.app._driver
    driver._size = Size(90, 26)
    driver.screen.resize(26, 90)
    pilot.app.post_message(events.Resize(Size(90, 26), Size(90, 26)))
    await settle(pilot)


STEPS = [settle, ticked, scrolled, selected, asked, typed, answered, themed, resized, scrolled]


def pictures(app):
    async def steps(pilot):
        shown = []
        pilot.app.query_one(Input).cursor_blink = False
        for step in STEPS:
            await step(pilot)
            await settle(pilot)
            shown.append(pilot.app._driver.cells())
        return shown

    return on_terminal(app, steps)


async def test_every_cell_is_that_of_stock_textual_after_every_step():
    stock = await pictures(StockDeck(driver_class=TerminalDriver))
    ours = await pictures(DiffDeck(driver_class=TerminalDriver))
    for step, theirs, mine in zip(STEPS, stock, ours, strict=True):
        wrong = [
            (x, y, theirs[y][x], mine[y][x])
            for y in range(len(theirs))
            for x in range(len(theirs[y]))
            if theirs[y][x] != mine[y][x]
        ]
        assert not wrong, (step.__name__, len(wrong), wrong[:3])


def run(steps, **attributes):
    app = DiffDeck(driver_class=TerminalDriver)
    for name, value in attributes.items():
        setattr(app, name, value)
    return on_terminal(app, steps)


async def test_a_refresh_of_everything_sends_nothing_when_nothing_changed():
    async def steps(pilot):
        await settle(pilot)
        before = pilot.app._driver.bytes_sent
        pilot.app.screen.refresh(layout=True)
        for widget in pilot.app.query("*"):
            widget.refresh()
        await settle(pilot)
        return pilot.app._driver.bytes_sent - before

    assert await run(steps) == 0


async def test_a_tick_costs_its_cells_and_is_counted():
    async def steps(pilot):
        await settle(pilot)
        sent, counted = pilot.app._driver.bytes_sent, pilot.app.bytes_sent
        pilot.app.query_one("#clock").update("cloak")
        await settle(pilot)
        return pilot.app._driver.bytes_sent - sent, pilot.app.bytes_sent - counted

    sent, counted = await run(steps)
    assert 0 < sent < 80
    assert counted == sent


async def test_frames_that_the_link_cannot_take_are_dropped_and_caught_up_in_one():
    async def steps(pilot):
        await settle(pilot)
        app, driver = pilot.app, pilot.app._driver
        driver._writer_thread._queue.put("a frame under way")
        before = len(driver.sent)
        for number in range(20):
            app.query_one("#clock").update(f"tick {number}")
            await settle(pilot)
        stalled = len(driver.sent) - before
        driver._writer_thread._queue.get()
        await settle(pilot)
        await settle(pilot)
        return stalled, len(driver.sent) - before, driver.screen.display, app.frames_dropped

    stalled, sent, display, dropped = await run(steps)
    assert stalled == 0
    assert sent == 1
    assert any("tick 19" in line for line in display)
    assert dropped >= 1


async def test_a_frame_waits_until_the_terminal_has_acknowledged_the_one_before():
    async def steps(pilot):
        await settle(pilot)
        app, driver = pilot.app, pilot.app._driver
        app.post_message(TerminalSupportsSynchronizedOutput())
        await settle(pilot)
        app.theme = "eventdeck-light"
        await settle(pilot)
        asked = driver.sent[-1]
        before = len(driver.sent)
        app.query_one("#clock").update("second")
        await settle(pilot)
        waiting = len(driver.sent) - before
        app.post_message(TerminalSupportsSynchronizedOutput())
        await settle(pilot)
        return asked, waiting, driver.screen.display

    asked, waiting, display = await run(steps)
    assert asked.startswith("\x1b[?2026h")
    assert asked.endswith("\x1b[?2026l\x1b[?2026$p")
    assert waiting == 0
    assert any("second" in line for line in display)


async def test_after_a_suspend_everything_is_drawn_anew():
    async def steps(pilot):
        await settle(pilot)
        driver = pilot.app._driver
        before = driver.cells()
        driver.screen.reset()
        pilot.app.post_message(events.Resize(Size(60, 20), Size(60, 20)))
        await settle(pilot)
        return before == driver.cells()

    assert await run(steps)


async def test_without_the_diff_textual_draws_as_it_always_did():
    async def steps(pilot):
        await settle(pilot)
        return pilot.app._driver.screen.display, pilot.app.bytes_sent

    display, counted = await run(steps, cell_diff=False)
    assert any("tool_error" in line for line in display)
    assert counted == 0


async def test_no_colour_leaves_no_colour_code(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(pilot):
        await settle(pilot)
        return "".join(pilot.app._driver.sent)

    sent = await run(steps)
    assert "tool_error" in sent
    assert "38;" not in sent
    assert "48;" not in sent


async def test_a_terminal_that_stops_answering_is_not_asked_again(monkeypatch):
    monkeypatch.setattr("tui.cell_diff._ACKNOWLEDGE_SECONDS_MAX", 0.05)

    async def steps(pilot):
        await settle(pilot)
        app, driver = pilot.app, pilot.app._driver
        app.post_message(TerminalSupportsSynchronizedOutput())
        await settle(pilot)
        for text, theme in (("first", "light"), ("second", "dark"), ("third", "light")):
            app.query_one("#clock").update(text)
            app.theme = f"eventdeck-{theme}"
            await settle(pilot)
            await settle(pilot)
        return driver.sent[-1], driver.screen.display

    last, display = await run(steps)
    assert not last.endswith("$p")
    assert any("third" in line for line in display)
