from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import UsageError
from store.timespan import TimeSpan
from tui.screens import SCREENS, Entry
from tui.view_state import History, View, next_length, remember, remembered

NOW = datetime(2026, 11, 22, 14, 3, 29, 500_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAST = TimeSpan(NOW - 60 * MINUTE, NOW - 30 * MINUTE)

instants = st.integers(0, 10**9).map(lambda s: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(0, s))
spans = st.one_of(
    st.integers(1, 10**9).map(lambda ms: timedelta(milliseconds=ms)),
    st.tuples(instants, instants).map(lambda pair: TimeSpan(*sorted(pair))),
)
texts = st.text(st.characters(codec="utf-8"), max_size=30)
OWN = ("steps", "window")
SHOP = Entry("9", "Shop", "shop", "ShopScreen", options=OWN)


@pytest.fixture(scope="module", autouse=True)
def shop():
    """A screen with settings of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui.view_state.SCREENS", (*SCREENS, SHOP))
        yield


own_settings = st.dictionaries(st.sampled_from(OWN), texts.filter(bool)).map(
    lambda found: tuple(sorted(found.items()))
)
views = st.builds(
    View,
    span=spans,
    where=texts,
    by=texts,
    sort=st.sampled_from(["", "count", "p95"]),
    compare=st.booleans(),
)


@given(views)
def test_a_view_survives_its_text(view):
    assert View.parse(view.text(), now=NOW) == view


@given(views, own_settings)
def test_so_do_a_screens_own_settings(view, options):
    view = replace(view, screen="shop", options=options)
    assert View.parse(view.text(), now=NOW) == view


def test_a_screens_own_settings_stand_at_the_end_of_the_text_by_name():
    view = View(screen="shop").with_option("window", "7d").with_option("steps", "page_view,signup")
    assert view.text() == "shop?last=15m&steps=page_view,signup&window=7d"
    assert View.parse("shop?last=15m&window=7d&steps=page_view,signup", now=NOW) == view


def test_a_setting_is_read_and_taken_back():
    view = View(screen="shop").with_option("window", "7d")
    assert view.option("window", "1d") == "7d"
    assert view.option("steps") == ""
    assert view.with_option("window", "") == View(screen="shop")
    assert View.parse("shop?window=", now=NOW) == View(screen="shop")


def test_a_setting_of_another_screen_is_named_with_those_that_this_one_knows():
    with pytest.raises(UsageError, match=r"'steps' on overview.*known: last, .*compare$"):
        View.parse("overview?steps=a,b", now=NOW)
    with pytest.raises(UsageError, match=r"'step' on shop.*known: last, .*compare, steps, window"):
        View.parse("shop?step=a,b", now=NOW)


def test_a_screen_is_come_back_to_as_it_was_left():
    left = View(screen="shop").with_option("window", "7d")
    history = History(left.with_option("window", "2d"))
    history.go(left)
    history.go(View())
    assert history.options_of("shop") == left.options
    assert history.options_of("explore") == ()


def test_the_text_of_a_view_reads_well():
    view = View(where="severity>=warning service_name=api", by="service_name", sort="p95")
    text = "overview?last=15m&where=severity>=warning service_name=api&by=service_name&sort=p95"
    assert view.text() == text


def test_a_reversed_order_and_no_comparison_are_kept():
    view = View(sort="count", reverse=True, compare=False)
    assert View.parse(view.text(), now=NOW) == view


def test_an_unknown_part_of_a_view_is_named():
    with pytest.raises(UsageError, match=r"'color'.*known: last"):
        View.parse("overview?color=red", now=NOW)


def test_a_live_view_ends_at_the_next_step_of_its_grid():
    seen = View().at(NOW)
    assert seen.end == NOW.replace(second=30, microsecond=0)
    assert seen.length == 15 * MINUTE


def test_a_live_view_asks_nothing_new_within_a_step():
    view = View()
    assert view.at(NOW) == view.at(NOW + timedelta(milliseconds=300))


def test_zooming_a_live_view_goes_along_the_usual_lengths():
    assert View().zoomed_in(NOW).span == 5 * MINUTE
    assert View().zoomed_out(NOW).span == 30 * MINUTE


def test_zooming_a_fixed_view_keeps_its_middle():
    zoomed = View(span=PAST).zoomed_in(NOW)
    assert zoomed.span == TimeSpan(PAST.start + 7.5 * MINUTE, PAST.end - 7.5 * MINUTE)


def test_zooming_ends_at_the_shortest_length():
    assert next_length(timedelta(seconds=10), inwards=True) == timedelta(seconds=10)


def test_panning_back_leaves_now_and_panning_on_comes_back_to_it():
    past = View().panned(NOW, back=True)
    assert not past.live
    assert past.length == 15 * MINUTE
    assert past.panned(NOW, back=False).panned(NOW, back=False) == View()


def test_following_keeps_the_length():
    assert View(span=PAST).following() == View(span=30 * MINUTE)


def test_what_was_undone_can_be_done_again_until_something_else_is_done():
    history = History(View())
    history.go(View(where="a"))
    history.go(View(where="b"))
    assert history.back() == View(where="a")
    assert history.forward() == View(where="b")
    history.back()
    history.go(View(where="c"))
    assert history.forward() == View(where="c")
    assert history.back() == View(where="a")


def test_going_where_one_is_leaves_no_trace():
    history = History(View())
    history.go(View())
    assert not history.before


def test_the_history_is_bounded():
    history = History(View())
    for number in range(500):
        history.go(View(where=str(number)))
    assert len(history.before) == 100


def test_the_last_view_is_restored_at_the_next_start(tmp_path):
    view = View(where="service_name=api", span=PAST)
    remember(tmp_path / "deep" / "view", view)
    assert remembered(tmp_path / "deep" / "view", now=NOW) == view


def test_a_view_file_that_makes_no_sense_is_no_fault(tmp_path):
    (tmp_path / "view").write_bytes(b"\xff\xfe")
    assert remembered(tmp_path / "view", now=NOW) is None
    (tmp_path / "view").write_text("overview?last=never")
    assert remembered(tmp_path / "view", now=NOW) is None
    assert remembered(tmp_path / "none", now=NOW) is None


def test_one_more_term_is_for_all_alternatives():
    narrowed = View(where="plan=pro or plan=team").narrowed("user_id=ada")
    assert narrowed.where == "(plan=pro or plan=team) user_id=ada"
    assert View(where="plan=pro").narrowed("user_id=ada").where == "plan=pro user_id=ada"
