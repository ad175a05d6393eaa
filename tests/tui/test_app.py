import asyncio
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.color import Color

from store.errors import NotAStoreError
from store.timespan import TimeSpan
from tests.tui.decks import Clock, deck, press, settled, text, until
from tests.tui.fake_store import NOW, FakeStore
from tui.app import DeckApp
from tui.screens import SCREENS
from tui.view_state import View
from tui.viewing import narrowed
from tui.widgets.filter_bar import FilterBar
from tui.widgets.help import Help
from tui.widgets.picker import Picker

MINUTE = timedelta(minutes=1)


def test_every_screen_has_its_own_key_and_name():
    assert len({screen.key for screen in SCREENS}) == len(SCREENS)
    assert len({screen.mode for screen in SCREENS}) == len(SCREENS)


async def test_a_number_opens_its_screen_and_the_view_tells_which():
    async with deck() as (app, pilot):
        for screen in reversed(SCREENS):
            await press(pilot, screen.key)
            assert app.screen.mode == app.view.screen == screen.mode


@pytest.mark.parametrize("theme", ["eventdeck-dark", "eventdeck-light"])
async def test_every_screen_has_the_colours_of_the_theme(theme):
    async with deck(theme=theme) as (app, pilot):
        ground = Color.parse(app.current_theme.background)
        for screen in SCREENS:
            await press(pilot, screen.key)
            assert app.screen.styles.background == ground
        await press(pilot, "t")
        assert isinstance(app.screen, Picker)
        assert app.screen.query_one("#picker").styles.border_top[1] == Color.parse(
            app.current_theme.primary
        )


async def test_the_first_event_of_an_empty_store_is_asked_for_at_once():
    store = FakeStore(events=0)
    async with deck(store=store) as (app, pilot):  # whose clock stands still
        asked = len(store.asked)
        app.post_message(replace(app.stored, generation="another", events=1))
        await pilot.pause()
        await settled(pilot)
        assert len(store.asked) > asked
        asked = len(store.asked)
        app.post_message(replace(app.stored, generation="a third", events=2))
        await pilot.pause()
        await settled(pilot)
        assert len(store.asked) == asked


async def test_the_header_says_that_events_are_missing_as_long_as_they_are():
    store, clock = FakeStore(unreadable=3), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        await until(pilot, lambda: "▲ 3 unreadable" in text(app))
        store.unreadable = 0
        store.events += 1
        clock.now = NOW.replace(second=40)
        await until(pilot, lambda: "unreadable" not in text(app))


async def test_only_screens_that_exist_have_a_key():
    async with deck() as (app, pilot):
        known = {screen.key for screen in SCREENS}
        for key in sorted(set("3456789") - known):
            await press(pilot, key)
            assert app.view == View()


async def test_zoom_pan_and_back_to_live():
    async with deck() as (app, pilot):
        await press(pilot, "plus")
        assert app.view.span == 5 * MINUTE
        await press(pilot, "left_square_bracket")
        assert isinstance(app.view.span, TimeSpan)
        assert "◌" in text(app).splitlines()[0]
        await press(pilot, "0", "minus")
        assert app.view == View()
        assert "● live" in text(app).splitlines()[0]


async def test_away_from_the_edge_new_events_are_counted():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        await press(pilot, "left_square_bracket")
        store.events += 214
        clock.now = NOW.replace(second=31)
        await until(pilot, lambda: "◌ 214 new" in text(app))
        await press(pilot, "0")
        assert "214 new" not in text(app)


async def test_space_stops_the_view_and_not_the_store():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        await press(pilot, "space")
        asked = len(store.asked)
        clock.now = NOW.replace(minute=9)
        store.events += 9
        await until(pilot, lambda: "paused 9 new 14:03:29" in text(app))
        assert len(store.asked) == asked
        await press(pilot, "space")
        await until(pilot, lambda: len(store.asked) > asked)
        assert "● live 14:09:29" in text(app)


async def test_the_clock_of_a_live_view_moves_its_span():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (_, pilot):
        clock.now = NOW.replace(second=40)
        await until(pilot, lambda: store.asked[-1][0].span.end == NOW.replace(second=40))


async def test_nothing_is_asked_while_nothing_is_new():
    store = FakeStore()
    async with deck(store=store) as (_, pilot):
        asked = len(store.asked)
        await pilot.pause(0.6)
        assert len(store.asked) == asked


async def test_a_tick_never_overtakes_a_question_that_still_runs():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (_, pilot):
        store.gate.clear()
        for second in (31, 33, 35):
            clock.now = NOW.replace(second=second)
            await pilot.pause(0.3)
        held = [asked for asked in store.asked if asked[0].span.end > NOW.replace(second=30)]
        assert len(held) == 1
        store.gate.set()


async def test_history_goes_back_and_forth():
    async with deck() as (app, pilot):
        await press(pilot, "plus", "p", "alt+left")
        assert app.view == View(span=5 * MINUTE)
        await press(pilot, "alt+left")
        assert app.view == View()
        await press(pilot, "alt+right", "alt+right")
        assert app.view == View(span=5 * MINUTE, compare=False)


async def test_the_view_is_kept_for_the_next_start(tmp_path):
    path = tmp_path / "view"
    async with deck(view_file=path) as (_, pilot):
        await press(pilot, "plus", "p")
    assert path.read_text() == "overview?last=5m&compare=off\n"


async def test_y_copies_the_view_as_a_command():
    async with deck(view=View(where="service_name=api x='a b'")) as (app, pilot):
        await press(pilot, "y")
        wanted = "eventdeck open 'overview?last=15m&where=service_name=api x=%27a b%27'"
        assert app.clipboard == wanted


async def test_letters_go_into_the_filter_and_do_nothing_else():
    async with deck() as (app, pilot):
        await press(pilot, "slash", *"spt0", "space", *"1by")
        assert app.view == View()
        assert app.focused.value == "spt0 1by"


async def test_the_filter_counts_what_matches_and_is_applied_by_enter():
    async with deck() as (app, pilot):
        await press(pilot, "slash", *"message=x")
        assert "of 1.30 M match" in text(app)
        await press(pilot, "enter")
        assert app.view.where == "message=x"
        assert "/ message=x" in text(app).splitlines()[1]
        assert app.focused is app.screen.query_one("#names")


async def test_a_filter_that_cannot_be_read_says_why_while_typing():
    async with deck() as (app, pilot):
        await press(pilot, "slash", *"(a=1")
        assert "filter" in text(app).splitlines()[1]
        await press(pilot, "escape")
        assert app.view == View()


async def test_a_filter_that_cannot_be_read_is_not_applied():
    async with deck() as (app, pilot):
        await press(pilot, "slash", *"(a=1", "enter")
        assert app.screen.query_one(FilterBar).is_open
        assert app.view == View()


async def test_names_and_values_are_completed():
    async with deck() as (app, pilot):
        await press(pilot, "slash", *"service_n", "tab", *"=a")
        await until(pilot, lambda: app.screen.query_one(FilterBar).completions.option == "api")
        await press(pilot, "tab", "enter")
        assert app.view.where == "service_name=api"


async def test_a_completion_gone_to_with_the_arrows_is_taken_by_enter():
    async with deck() as (app, pilot):
        await press(pilot, "slash", *"service_")
        await press(pilot, "down", "enter")
        assert app.focused.value == "service_version"


async def test_a_span_is_picked_or_written():
    async with deck() as (app, pilot):
        await press(pilot, "t", *"13:00 to 13:30")
        assert "13:00 to 13:30" in text(app)
        await press(pilot, "enter")
        day = NOW.replace(minute=0, second=0)
        assert app.view.span == TimeSpan(day - 60 * MINUTE, day - 30 * MINUTE)
        await press(pilot, "t", *"last 3h", "enter")
        assert app.view.span == timedelta(hours=3)


async def test_what_is_no_span_is_said_and_not_taken():
    async with deck() as (app, pilot):
        await press(pilot, "t", *"soon", "enter")
        assert isinstance(app.screen, Picker)
        assert "'soon' is not a time" in text(app)
        await press(pilot, "escape")
        assert app.view == View()


async def test_a_breakdown_is_picked_from_what_is_stored():
    async with deck() as (app, pilot):
        await press(pilot, "b")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await press(pilot, *"model", "enter")
        assert app.view.by == "model"
        assert "by model" in text(app).splitlines()[1]


async def test_help_tells_the_keys_of_the_panel_first():
    async with deck() as (app, pilot):
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Help)
        shown = text(app)
        assert shown.index("here") < shown.index("reverse the order") < shown.index("everywhere")
        await press(pilot, "escape")
        assert not isinstance(app.screen, Help)


async def test_the_palette_has_every_action_with_its_key():
    async with deck() as (app, pilot):
        await press(pilot, "ctrl+p")
        await press(pilot, *"go ear")
        assert any("go earlier" in row and "[" in row for row in text(app).splitlines())
        await press(pilot, "enter")
        await until(pilot, lambda: not app.view.live)


async def test_every_binding_has_an_id_of_its_own():
    async with deck() as (app, _):
        named = [(b.id, b.action) for b in (a.binding for a in app.active_bindings.values())]
        ids = {}
        for name, action in named:
            if name is not None:
                assert ids.setdefault(name, action) == action
        assert all(binding.id for binding in DeckApp.BINDINGS)


async def test_a_store_that_cannot_be_opened_is_said_in_a_sentence():
    def open_store():
        raise NotAStoreError("store", "it holds something else", place="/x", next_step="name one")

    app = DeckApp(open_store, clock=Clock())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: "it holds something else" in text(app))


async def test_the_first_frame_needs_neither_polars_nor_plotext():
    program = """
import asyncio, sys
from tui.app import DeckApp
async def main():
    seen = []
    app = DeckApp(lambda: None)
    app.runner.start = lambda: seen.append(sorted({"polars", "plotext", "pyarrow"} & set(sys.modules)))
    async with app.run_test() as pilot:
        while not seen:
            await pilot.pause(0.01)
    print(seen)
asyncio.run(main())
"""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    assert said.decode().strip() == "[[]]"


async def test_a_store_that_cannot_be_opened_leaves_the_reason_on_the_screen():
    def open_store():
        raise NotAStoreError("store", "it holds something else", place="/x", next_step="name one")

    async with DeckApp(open_store, clock=Clock()).run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "store: /x: it holds something else" in text(pilot.app))
        assert "name one" in text(pilot.app)


async def test_escape_goes_back_to_where_one_drilled_in_from():
    async with deck() as (app, pilot):
        await press(pilot, "7", "escape")
        assert app.view.screen == "overview"
        await press(pilot, "escape")
        assert app.view == View()


async def test_the_span_and_the_filter_can_be_clicked():
    async with deck() as (app, pilot):
        await pilot.click("#span-row", offset=(5, 0))
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await press(pilot, "escape")
        await pilot.click("#span-row", offset=(36, 0))
        await until(pilot, lambda: app.screen.query_one(FilterBar).is_open)


async def test_a_tab_can_be_clicked():
    async with deck() as (app, pilot):
        at = text(app).splitlines()[0].index("7 Health")
        await pilot.click("#header", offset=(at, 0))
        await until(pilot, lambda: app.view.screen == "health")


async def test_a_failed_question_is_a_toast_and_stands_in_health():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):

        def broken(_queries, *, cancelled):
            raise ValueError("[b]a part is gone")

        store.run_all = broken
        app.look_at(replace(app.view, where="x=1"))
        await until(pilot, lambda: "[b]a part is gone" in text(app))
        await press(pilot, "7")
        await until(pilot, lambda: "failures of this dashboard" in text(app))
        assert "ValueError: [b]a part is gone" in text(app)


@pytest.mark.parametrize(
    ("where", "narrower"),
    [("", 'event_name="a b"'), ("x=1 or y=2", '(x=1 or y=2) event_name="a b"')],
)
def test_a_term_narrows_any_filter(where, narrower):
    assert narrowed(where, (("event_name", "a b"),)) == narrower


async def test_events_arriving_are_a_rate_in_the_header():
    store, clock = FakeStore(events=1000), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        for second in range(1, 5):
            store.events += 246
            await until(pilot, lambda: app.stored.events == store.events)
            # Counted at the second's first beat: the events must be known before it begins.
            clock.now = NOW + timedelta(seconds=second)
            await until(pilot, lambda: f"{clock.now:%H:%M:%S}" in text(app))
        await until(pilot, lambda: "246 ev/s" in text(app))


async def test_a_hostile_filter_is_shown_and_never_obeyed():
    hostile = 'event_name="\x1b[31m\x9b2J\u202ex\x07"'
    async with deck(view=View(where=hostile)) as (app, pilot):
        assert "\x1b" not in text(app)
        await press(pilot, "slash")
        shown = text(app)
        assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(shown)
        assert "␛[31m" in shown
        assert app.focused.value == hostile


async def test_ctrl_c_says_how_to_quit_and_a_second_one_does(monkeypatch):
    async with deck() as (app, pilot):
        await press(pilot, "ctrl+c")
        assert [note.message for note in app._notifications] == ["ctrl+c again quits, as q does"]
        monkeypatch.setattr("tui.quitting.QUIT_AGAIN_SECONDS", -1.0)
        await press(pilot, "ctrl+c")
        assert not app._exit
        monkeypatch.setattr("tui.quitting.QUIT_AGAIN_SECONDS", 60.0)
        await pilot.press("ctrl+c")
        assert app._exit
