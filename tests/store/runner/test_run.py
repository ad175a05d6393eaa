"""A command between pipes: as it was without us, and its events in the store."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.running import (
    ROOT,
    WAITS,
    command,
    environment,
    printed,
    python,
    rows,
    run,
    start,
    tally,
)

HOSTILE = """
import os, random
chance = random.Random(7)
for _ in range(200):
    os.write(1, chance.randbytes(chance.randrange(1, 5000)) + b"\\x1b[2J\\x1b]0;x\\x07\\r" + b'"_e"')
"""


def test_output_error_and_exit_code_are_those_of_the_command(store):
    done = run(store, "sh", "-c", "printf 'a\\r\\nb'; printf 'c\\n' >&2; exit 7")
    assert done == (7, b"a\r\nb", b"c\n")


def test_hostile_output_comes_through_byte_by_byte(store):
    plain = subprocess.run(python(HOSTILE), capture_output=True, check=True).stdout
    assert len(plain) > 100_000
    assert run(store, *python(HOSTILE)) == (0, plain, b"")


def test_input_is_passed_and_events_come_out_of_both_streams(store):
    text = (
        "import sys; out, err = sys.stdin.read().split(); print(out); print(err, file=sys.stderr)"
    )
    given = b'{"_e":1,"event":"both","n":1}\n{"_e":1,"event":"both","n":2}\n'
    code, out, err = run(store, *python(text), given=given)
    assert (code, out + err) == (0, given)
    found = [row for row in rows(store, "event_name", "n", "log.iostream") if row[0] == "both"]
    assert found == [("both", 1, "stdout"), ("both", 2, "stderr")]


def test_where_both_streams_are_one_their_order_stays(store):
    text = "import os\nfor i in range(500): os.write(1 + i % 2, b'%d\\n' % i)"
    code, out, _ = run(store, *python(text), stderr=subprocess.STDOUT)
    assert (code, out) == (0, b"".join(b"%d\n" % i for i in range(500)))


def test_events_are_stored_when_it_ends_and_broken_ones_are_said(store):
    text = f"{printed(event='ended', n=1)}\nprint('{{\"_e\":1,')"
    before = tally(store)["rejected"]
    code, _, err = run(store, *python(text))
    assert code == 0
    assert b"broken lines that carry the flag: 1 (stdout line 2: " in err
    assert ("ended", 1) in rows(store, "event_name", "n")
    assert tally(store)["rejected"] == before + 1


def test_ordinary_logs_are_taken_when_asked_for(store):
    run(store, "echo", 'level=warn msg="not asked"')
    run(store, "echo", 'level=warn msg="asked for"', logs=True)
    messages = {message for (message,) in rows(store, "message")}
    assert "asked for" in messages
    assert "not asked" not in messages


def test_the_command_is_told_where_to_send(store):
    code, out, _ = run(store, *python("import os; print(os.environ['EVENTDECK_URL'])"))
    assert (code, out[:17]) == (0, b"http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGINT])
def test_a_command_that_a_signal_killed_ends_us_by_the_same(store, number):
    code, out, _ = run(store, "sh", "-c", f"echo a; kill -{int(number)} $$")
    assert (code, out) == (-number, b"a\n")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT", "SIGQUIT"])
def test_a_signal_to_us_is_for_the_command(store, name):
    text = (
        "import signal, sys, time\n"
        f"def caught(n, f): print('caught', signal.Signals(n).name, flush=True); sys.exit(5)\n"
        f"signal.signal(signal.{name}, caught)\nprint('ready', flush=True)\n{WAITS}"
    )
    # A shell may have started these tests with some signals ignored; those stay so in a command.
    number = getattr(signal, name)
    heard = {"preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)}
    with start(store, *python(text), start_new_session=True, **heard) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (5, b"caught %b\n" % name.encode())


def test_a_command_that_was_told_to_ignore_interrupts_still_does(store):
    text = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    code, out, _ = run(
        store, *python(text), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    )
    assert (code, out) == (0, b"True\n")


@pytest.mark.parametrize(("name", "code"), [("no-such-command", 127), ("/", 126)])
def test_a_command_that_cannot_be_run_is_answered_as_a_shell_would(store, name, code):
    done = run(store, name)
    assert done[:2] == (code, b"")
    assert done[2].startswith(b"eventdeck: " + name.encode())
    assert done[2].count(b"\n") == 1


def test_when_nobody_reads_on_the_command_meets_a_closed_pipe(store):
    with start(store, "yes") as process:
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        assert process.wait(60) == -signal.SIGPIPE


def memory_bytes(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_slow_reader_slows_the_command_and_not_our_memory(store):
    text = "import os\nfor _ in range(150): os.write(1, b'x' * 1_000_000)"
    with start(store, *python(text)) as process:
        time.sleep(1)
        assert memory_bytes(process.pid) < 100_000_000
        assert len(process.stdout.read()) == 150_000_000
        assert process.wait(60) == 0


def test_what_it_left_in_the_background_does_not_hold_us(store):
    begun = time.monotonic()
    code, out, _ = run(store, "sh", "-c", "sleep 30 & echo a")
    assert (code, out) == (0, b"a\n")
    assert time.monotonic() - begun < 15


def test_a_collector_is_started_and_goes_when_it_is_not_needed(tmp_path):
    store = tmp_path / "store"
    config = tmp_path / "config.toml"
    config.write_text("[collector]\nport = 0\n")
    env = {"EVENTDECK_CONFIG": str(config)}
    text = "import os, time\n" + printed(event="alone", n=3)
    assert run(store, *python(text), env=env)[0] == 0
    assert rows(store, "event_name", "n") == [("alone", 3)]
    deadline = time.monotonic() + 60
    while (store / "collector.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not (store / "collector.json").exists()


def killed_under(store, env, count):
    """A run of so many events whose collector dies in the middle; the numbers it passed on."""
    text = (
        "import sys, time\n"
        f"for n in range({count}):\n"
        '    print(\'{"_e":1,"event":"tick","n":%d}\' % n, flush=True)\n'
        "    time.sleep(0.002)\n"
    )
    # Unbuffered: `communicate` never sees what a reader has read ahead.
    with start(store, *python(text), env=env, bufsize=0) as process:
        for _ in range(count // 4):
            process.stdout.readline()
        pid = json.loads((store / "collector.json").read_bytes())["pid"]
        os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    return process.returncode, count // 4 + out.count(b"\n"), err


def test_a_collector_killed_under_it_costs_nothing(tmp_path):
    store = tmp_path / "store"
    config = tmp_path / "config.toml"
    config.write_text("[collector]\nport = 0\n")
    code, lines, err = killed_under(store, {"EVENTDECK_CONFIG": str(config)}, 500)
    assert (code, lines, err) == (0, 500, b"")
    assert [n for (n,) in rows(store, "n")] == list(range(500))


def test_a_store_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.json").write_text('{"format": 1}')
    (tmp_path / "store" / "dashboards.lock").mkdir()
    code, out, err = run(tmp_path / "store", "echo", "hi")
    assert (code, out) == (0, b"hi\n")
    assert err.startswith(b"eventdeck: store: ")
    assert b"[Errno" not in err
    assert b"the command runs all the same" in err


def test_without_a_collector_it_runs_all_the_same_and_says_what_was_lost(tmp_path):
    store = tmp_path / "store"
    store.write_bytes(b"no folder")
    code, out, err = run(store, *python(printed(event="lost")))
    assert (code, out.count(b"\n")) == (0, 1)
    assert b"the command runs all the same" in err
    assert b"lines with events that were lost: 1; " in err
    assert b"Traceback" not in err


def test_a_line_of_250_megabytes_comes_through_in_bounded_memory(store):
    text = "import os\nfor _ in range(250): os.write(1, b'x' * 1_000_000)"
    with start(store, *python(text)) as process:
        size, chunk = 0, b"x"
        while chunk:
            chunk = process.stdout.read1(1 << 20)
            size += len(chunk)
            if size < 200_000_000 and chunk:
                last = memory_bytes(process.pid)
        assert (process.wait(60), size) == (0, 250_000_000)
    assert last < 100_000_000


def test_many_events_in_random_pieces_are_each_stored_once(store):
    lines = b"".join(b'{"_e":1,"event":"piece","n":%d}\r\n' % n for n in range(5000))
    chance = random.Random(3)
    given, at = [], 0
    while at < len(lines):
        size = chance.randrange(1, 4000)
        given.append(lines[at : at + size])
        at += size
    with start(store, "cat", stdin=subprocess.PIPE) as process:
        for piece in given:
            process.stdin.write(piece)
            process.stdin.flush()
        out, _ = process.communicate(timeout=120)
    assert out == lines
    found = [n for name, n in rows(store, "event_name", "n") if name == "piece"]
    assert found == list(range(5000))


def test_streams_that_are_closed_harm_nobody(store):
    own = " ".join(f"'{word}'" for word in command("sh", "-c", "echo a; echo b >&2; exit 3"))
    for closed, wanted in (("<&- >&-", (b"", b"b\n")), ("<&- 2>&-", (b"a\n", b""))):
        done = subprocess.run(
            ["sh", "-c", f"{own} {closed}"],
            env=environment(store),
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, (done.stdout, done.stderr)) == (3, wanted)


def test_nothing_heavy_is_loaded_before_the_command_starts():
    code = (
        "import sys, store.runner.run, store.runner.terminal, tui.commands.run; "
        "sys.exit(', '.join(m for m in ('polars', 'pyarrow', 'textual') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_instrumented_program_is_recorded_without_a_change(store):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    text = (
        "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import BatchSpanProcessor\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\n"
        "with provider.get_tracer('t').start_as_current_span('of the sdk'): pass\n"
        "provider.shutdown()\n"
        "from store.client import Client\n"
        "with Client() as client: client.record('log', 'of the client')\n"
    )
    assert run(store, *python(text)) == (0, b"", b"")
    assert {("of the sdk", "otlp"), ("of the client", "native")} <= set(
        rows(store, "event_name", "source")
    )
