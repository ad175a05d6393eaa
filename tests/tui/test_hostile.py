"""Hostile text in every field of an event, on every screen: shown, never obeyed."""

import re
from datetime import timedelta

import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from tests.tui.decks import Clock, deck, press, text

HOSTILE = (
    "\x1b]2;title\x07\x1b[2J\x9b31m[red]x[/b][@click=app.quit]q\u202ebidi\u200b\x00\r\n\t"
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301"
)
FIELDS = (
    *("event_name", "event_type", "user_id", "message", "service_name", "service_version"),
    *("session_id", "component", "trace_id", "severity_text", "at[/x] \x1b[31m"),
)
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def store(tmp_path):
    rows = [
        {
            "event_time": NOON - timedelta(seconds=number),
            **{field: f"{HOSTILE}{field}" for field in FIELDS},
            "duration_ms": float(number),
            "severity": 17 if number % 3 else 9,
        }
        for number in range(40)
    ]
    write(tmp_path, events_of(rows))
    return EventStore(tmp_path, now=lambda: NOON)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_no_screen_obeys_what_an_event_says(store, size):
    async with deck(size, store=store, clock=Clock(NOON)) as (app, pilot):
        seen = text(app)
        assert "]2;title" in seen
        for keys in (["enter"], ["2"], ["down", "enter"], ["tab", "down", "enter"], ["escape"]):
            await press(pilot, *keys)
            seen += "\n" + text(app)
        for keys in (["b"], ["escape"], ["question_mark"], ["escape"], ["7"], ["1"], ["ctrl+p"]):
            await press(pilot, *keys)
            seen += "\n" + text(app)
        await press(pilot, "escape")
        for keys in (["3"], ["enter"], ["enter"], ["escape"], ["escape"], ["e"], ["escape"], ["5"]):
            await press(pilot, *keys)
            seen += "\n" + text(app)
        assert app.is_running
        assert OBEYED.findall(seen.replace("\n", "")) == []
