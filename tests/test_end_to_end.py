"""The whole way in one piece: real processes, real sockets, the commands as CONTRACTS has them."""

import gzip
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "tui.cli"]
FATES = ("stored", "filtered", "sampled_out", "duplicate", "rejected", "dropped")
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def eventdeck(store, *words, stdin=None, code=0):
    """One command on the store; its standard output, after its exit code was checked."""
    done = subprocess.run(
        [*COMMAND, *words, "--store", str(store)],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.stdout.decode()


class Running:
    """A collector in a process of its own, on a free port."""

    def __init__(self, store: Path) -> None:
        self.process = subprocess.Popen(
            [
                *COMMAND,
                "collect",
                "--store",
                str(store),
                "--json",
                "--port",
                "0",
                "--grpc-port",
                "off",
                "--statsd-port",
                "off",
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read().decode()
        self.announced = json.loads(line)
        self.url = self.announced["http"]
        if not self.url.startswith("http"):
            self.url = f"http://{self.url}"

    def post(self, body, path="/v1/events", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as reply:
            with reply:
                return reply.code, json.loads(reply.read() or b"null")

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=60) as reply:
            return json.loads(reply.read())

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def collector(store):
    running = Running(store)
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


def event(number, **attributes):
    return {
        "event_id": f"e{number}",
        "event_time": (NOON + timedelta(seconds=number)).isoformat(),
        "event_type": "behavioral",
        "event_name": "signup" if number % 4 else "pay",
        "user_id": f"user {number % 10}",
        "duration_ms": number,
        **attributes,
    }


def test_an_event_goes_from_a_request_to_an_answer_and_survives_a_restart(store, collector):
    status, receipt = collector.post([event(number) for number in range(100)])
    assert (status, receipt["stored"], receipt["received"]) == (200, 100, 100)

    # At once, without a wait: the receipt said that they are durable.
    answer = json.loads(eventdeck(store, "query", "top", "--json"))
    assert answer["analysis"] == "top"
    assert [(row["key"]["event_name"], row["value"]) for row in answer["result"]["rows"]] == [
        ("signup", 75),
        ("pay", 25),
    ]
    tally = collector.get("/v1/tally")
    assert collector.get("/healthz") == {"status": "ok"}
    assert collector.stop() == 0

    again = Running(store)
    assert again.get("/v1/tally") == tally
    assert again.post([event(number) for number in range(50, 110)])[1]["duplicate"] == 50
    assert again.stop() == 0
    inspected = json.loads(eventdeck(store, "inspect", "--json"))
    assert inspected["events"] == 110
    assert inspected["tally"]["received"] == sum(inspected["tally"][fate] for fate in FATES) == 160
    checked = json.loads(eventdeck(store, "check", "--json"))
    assert checked["ok"] is True
    assert checked["events"] == checked["unique_event_ids"] == 110


def test_acknowledged_events_are_there_once_after_a_kill(store, collector):
    body = b"\n".join(json.dumps(event(number)).encode() for number in range(500))
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    assert collector.post(gzip.compress(body), **headers)[1]["stored"] == 500
    collector.stop(signal.SIGKILL)
    again = Running(store)
    assert again.post(gzip.compress(body), **headers)[1]["duplicate"] == 500
    again.stop()
    checked = json.loads(eventdeck(store, "check", "--json"))
    assert (checked["ok"], checked["events"]) == (True, 500)


def test_secrets_never_reach_the_disk(store, collector):
    secret = "hunter2-very-secret"
    nested = {"deep": [{"Authorization": f"Bearer {secret}"}], "metadata": {"password": secret}}
    receipt = collector.post(event(1, password=secret, api_key=secret, **nested))[1]
    assert receipt["stored"] == 1
    reasons = collector.get("/v1/tally")["reasons"]
    assert sum(count for name, count in reasons.items() if name.startswith("masked.")) >= 4
    collector.stop()
    for path in store.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    rows = [
        json.loads(line)
        for line in eventdeck(store, "tail", "--json", "--last", "7d", "--once").splitlines()
    ]
    assert rows
    assert secret not in json.dumps(rows)


def test_bad_lines_are_refused_by_place_and_the_rest_is_stored(store, collector):
    body = b'{"event_name": "a"}\n{"event_name": \nnot json\n[1]\n{"no": "name"}\n{"event_name": "b"}\n'
    status, receipt = collector.post(body, **{"Content-Type": "application/x-ndjson"})
    assert status == 200
    assert (receipt["stored"], receipt["rejected"], receipt["received"]) == (2, 4, 6)
    assert [error["place"] for error in receipt["errors"]] == [f"line {n}" for n in (2, 3, 4, 5)]
    assert collector.post(b"nothing at all")[0] == 400
    assert collector.get("/v1/tally")["received"] == 7


def test_trends_and_percentiles_answer_in_the_contracts_shapes(store):
    lines = "\n".join(json.dumps(event(number)) for number in range(600))
    receipt = json.loads(
        eventdeck(store, "import", "-", "--format", "ndjson", "--json", stdin=lines.encode())
    )
    assert receipt["received"] == receipt["stored"] == 600
    since = ["--since", NOON.isoformat(), "--until", (NOON + timedelta(minutes=10)).isoformat()]
    trends = json.loads(
        eventdeck(
            store, "query", "trends", *since, "--interval", "1m", "--by", "event_name", "--json"
        )
    )
    assert trends["result"]["interval_seconds"] == 60
    series = {one["key"]["event_name"]: one["points"] for one in trends["result"]["series"]}
    assert [count for _, count in series["pay"]] == [15] * 10
    assert series["signup"][0] == [NOON.strftime("%Y-%m-%dT12:00:00Z"), 45]
    exact = json.loads(eventdeck(store, "query", "percentiles", *since, "--exact", "--json"))
    (row,) = exact["result"]["rows"]
    assert exact["exact"] is True
    assert (row["count"], row["p50"], row["max"], row["min"]) == (600, 299.5, 599, 0)
    assert row["p95"] == pytest.approx(569.05)
    table = eventdeck(store, "query", "top", "--by", "user_id", "--csv", *since)
    assert len(table.strip().splitlines()) == 11


def test_importing_twice_stores_once(store, tmp_path):
    rows = ["time,name,amount"] + [
        f"2026-01-0{1 + n % 5}T00:00:{n % 60:02},n{n % 3},{n}" for n in range(300)
    ]
    path = tmp_path / "shop.csv"
    path.write_text("\n".join([*rows, "never,n1,1"]) + "\n", encoding="utf-8")
    words = ["import", str(path), "--map", "event_time=time", "--map", "event_name=name", "--json"]
    first = json.loads(eventdeck(store, *words, code=1))
    assert (first["stored"], first["rejected"], first["received"]) == (300, 1, 301)
    assert first["errors"][0]["place"] == "shop.csv:302"
    second = json.loads(eventdeck(store, *words, code=1))
    assert (second["stored"], second["duplicate"], second["rejected"]) == (0, 300, 1)
    assert json.loads(eventdeck(store, "check", "--json"))["ok"] is True


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["query", "trends", "--where", "a="], 2, "filter"),
        (["query", "nonsense"], 2, "nonsense"),
        (["query", "trends", "--last", "soon"], 2, "duration"),
        (["import", "/no/such/file.csv"], 3, "/no/such/file.csv"),
        (["import", "-", "--format", "xml"], 2, "xml"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_its_exit_code(store, words, code, says):
    done = subprocess.run(
        [*COMMAND, *words, "--store", str(store)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in ({2, 3} if words[0] == "import" else {code}), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_folder_that_is_no_store_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    for words in (["inspect"], ["collect", "--port", "0"], ["query", "trends"]):
        done = subprocess.run(
            [*COMMAND, *words, "--store", str(tmp_path)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 3
        assert str(tmp_path) in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_two_collectors_on_one_store_and_two_on_one_port_are_refused(store, collector, tmp_path):
    same_store = subprocess.run(
        [*COMMAND, "collect", "--store", str(store), "--port", "0"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    port = collector.url.rsplit(":", 1)[1]
    same_port = subprocess.run(
        [*COMMAND, "collect", "--store", str(tmp_path / "other"), "--port", port],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    for done, says in ((same_store, str(collector.process.pid)), (same_port, port)):
        assert done.returncode == 3
        assert says in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_tail_shows_an_event_while_it_runs(store, collector):
    tail = subprocess.Popen(
        [*COMMAND, "tail", "--store", str(store), "--json", "--where", "event_name=pay"],
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip
    with tail:
        time.sleep(2)
        collector.post([event(0), event(1)])
        assert json.loads(tail.stdout.readline())["event_id"] == "e0"
        tail.send_signal(signal.SIGINT)
