import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from store.parts.catalog import Skipped
from store.parts.quarantined import Quarantined
from tests.tui.decks import Clock, deck, press, text, until
from tests.tui.fake_store import NOW, FakeStore
from tui.screens.health import HealthScreen

STATS = {
    "queue": {"deliveries": 2, "events": 412, "events_max": 10_000, "oldest_seconds": 0.004},
    "commits": {"count": 8123, "events": 1_300_000, "p50_ms": 1.62, "p99_ms": 6.8, "fault": ""},
    "refused": {"too_large": 2},
    "rss_bytes": 96_000_000,
    "uptime_seconds": 7384,
}
TALLY = {
    "received": 1_300_215,
    "stored": 1_300_000,
    "duplicate": 182,
    "rejected": 33,
    "intakes": {"native": 1_290_215, "import": 10_000},
    "reasons": {"rejected.bad_json": 21, "rejected.no_name": 12, "masked.password": 812},
}


@contextmanager
def collector(pages):
    """Serves these documents on loopback."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(pages[self.path]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def rows(app, panel):
    return [
        fact.label for fact in app.screen.query_one(f"#{panel}").facts if hasattr(fact, "label")
    ]


async def test_health_tells_what_became_of_every_event_and_the_exact_sum():
    with collector({"/v1/stats": STATS, "/v1/tally": TALLY}) as url:
        async with deck(collector=url) as (app, pilot):
            await press(pilot, "7")
            await until(pilot, lambda: "1,300,000 + 182 + 33 = 1,300,215, exact" in text(app))
            shown = text(app)
            assert "412 of 10,000 events" in shown
            assert "1.6 ms" in shown
            assert "6.8 ms" in shown
            assert "2h 03m" in shown
            assert "turned away: too_large" in shown
            assert rows(app, "reasons")[:2] == ["native", "import"]
            assert "masked.password" in shown
            assert f"curl {url}/v1/events" in shown


async def test_a_sum_that_does_not_come_out_is_said():
    with collector({"/v1/stats": STATS, "/v1/tally": TALLY | {"received": 1_300_216}}) as url:
        async with deck(collector=url) as (app, pilot):
            await press(pilot, "7")
            await until(pilot, lambda: "+1 not accounted for" in text(app))


async def test_without_a_collector_the_parts_have_the_tally():
    async with deck(collector=None) as (app, pilot):
        await press(pilot, "7")
        await until(pilot, lambda: "1,300,000 + 12 + 3 = 1,300,015, exact" in text(app))
        assert "no collector serves this store" in text(app)
        assert "eventdeck collect" in text(app)


async def test_a_collector_that_does_not_answer_is_said():
    with collector({}) as url:
        pass
    async with deck(collector=url) as (app, pilot):
        await press(pilot, "7")
        await until(pilot, lambda: "it does not answer" in text(app))
        await until(pilot, lambda: ", exact" in text(app))


async def test_skipped_parts_are_named_with_the_reason():
    store = FakeStore()
    fine = store.snapshot()
    day = Path("/s/events/_date=2026-11-22")
    fine.skipped = (Skipped(day / "0-a-1.parquet", "a newer format"),)
    fine.quarantined = (Quarantined(Path("/s/quarantine/0-a-2.parquet"), "a wrong checksum"),)
    store.snapshot = lambda: fine
    store.out_of_time = lambda: 3
    async with deck(store=store, collector=None) as (app, pilot):
        await press(pilot, "7")
        await until(pilot, lambda: "0-a-1.parquet: a newer format" in text(app))
        assert "parts in quarantine" in text(app)
        assert "0-a-2.parquet: a wrong checksum" in text(app)
        assert "out of time" in text(app)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_line_to_paste_is_whole(size):
    async with deck(size, collector="http://127.0.0.1:43180") as (app, pilot):
        await press(pilot, "7")
        await until(pilot, lambda: '-d \'{"event_name": "hello"}\'' in text(app))


async def test_health_is_asked_again_every_second():
    pages = {"/v1/stats": STATS, "/v1/tally": dict(TALLY)}
    clock = Clock()
    with collector(pages) as url:
        async with deck(collector=url, clock=clock) as (app, pilot):
            await press(pilot, "7")
            await until(pilot, lambda: "1,300,215" in text(app))
            pages["/v1/tally"] |= {"received": 1_300_315, "stored": 1_300_100}
            clock.now = NOW.replace(second=31)
            await until(pilot, lambda: "1,300,315" in text(app))
            assert isinstance(app.screen, HealthScreen)
