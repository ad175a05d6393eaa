"""A command on a terminal: it has one of its own, with our keys, our size and our job control."""

import os
import signal
import sys
import time

import pytest

from tests.running import WAITS, Terminal, command, environment, printed, python, rows

ASKS = "import os; print([os.isatty(n) for n in range(3)], os.get_terminal_size())"


@pytest.fixture
def terminal(store):
    opened = []

    def on(*words, size=(31, 97)):
        found = Terminal(command(*words), environment(store), size)
        opened.append(found)
        return found

    yield on
    for each in opened:
        try:
            os.killpg(each.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_it_has_a_terminal_of_our_size(terminal):
    out, code = terminal(*python(ASKS)).end()
    assert code == 0
    assert out == b"[True, True, True] os.terminal_size(columns=97, lines=31)\r\n"


def test_what_it_prints_is_on_the_screen_and_its_events_in_the_store(terminal, store):
    text = f"{printed(event='shown', n=1)}\nprint('\\x1b[31mred\\x1b[0m')\nraise SystemExit(4)"
    out, code = terminal(*python(text)).end()
    assert code == 4
    assert out == b'{"_e": 1, "event": "shown", "n": 1}\r\n\x1b[31mred\x1b[0m\r\n'
    assert ("shown", 1) in rows(store, "event_name", "n")


def test_all_of_a_long_output_is_there_when_it_ends(terminal):
    text = "import os\nfor n in range(20_000): os.write(1, b'%d\\n' % n)"
    out, code = terminal(*python(text)).end()
    assert code == 0
    assert out == b"".join(b"%d\r\n" % n for n in range(20_000))


def test_keys_reach_it(terminal):
    seen = terminal("sh", "-c", 'read line; echo "got <$line>"; cat; echo end')
    seen.type(b"hello\r")
    seen.read_until(b"got <hello>\r\n")
    seen.type(b"more\r")
    seen.read_until(b"more\r\nmore\r\n")
    seen.type(b"\x04")
    assert seen.end() == (b"end\r\n", 0)


def test_ctrl_c_interrupts_the_command_and_we_end_as_it_does(terminal):
    seen = terminal(*python(f"import time\nprint('ready')\n{WAITS}"))
    seen.read_until(b"ready\r\n")
    seen.type(b"\x03")
    out, code = seen.end()
    assert b"KeyboardInterrupt" in out
    assert code == -signal.SIGINT


def test_a_command_that_catches_ctrl_c_goes_on(terminal):
    text = (
        "import signal, time\nsignal.signal(signal.SIGINT, lambda *_: print('caught'))\n"
        "print('ready')\ntime.sleep(1)\nprint('end')"
    )
    seen = terminal(*python(text))
    seen.read_until(b"ready\r\n")
    seen.type(b"\x03")
    out, code = seen.end()
    assert (out, code) == (b"^Ccaught\r\nend\r\n", 0)


def test_it_is_told_when_the_window_changes(terminal):
    text = (
        "import os, signal, time\n"
        "def told(*_): print(os.get_terminal_size().columns); raise SystemExit\n"
        f"signal.signal(signal.SIGWINCH, told)\nprint('ready')\n{WAITS}"
    )
    seen = terminal(*python(text))
    seen.read_until(b"ready\r\n")
    seen.resize(10, 55)
    assert seen.end() == (b"55\r\n", 0)


def test_the_terminal_is_afterwards_as_it_was(store):
    own = " ".join(f"'{word}'" for word in command("true"))
    failed = " ".join(f"'{word}'" for word in command("no-such-command"))
    script = (
        f"stty -a > $HOME/1; {own}; {failed}; stty -a > $HOME/2; cmp $HOME/1 $HOME/2 && echo same"
    )
    home = store.parent
    seen = Terminal(["sh", "-c", script], environment(store, HOME=str(home)))
    out, code = seen.end()
    assert (out.endswith(b"same\r\n"), code) == (True, 0), out


def test_ctrl_z_stops_it_in_a_shell_and_fg_continues_it(store):
    env = environment(store, PS1="$ ", HISTFILE="")
    seen = Terminal(["bash", "--norc", "-i"], env)
    # Not a shell: one that was stopped between vfork and exec of what it starts never stops itself.
    text = (
        'import time\nfor n in range(120):\n    print("ti" "ck", n, flush=True); time.sleep(0.01)\n'
        'print("done")'
    )
    own = " ".join(f"'{word}'" for word in command(*python(text)))
    seen.type(own.encode() + b"\r")
    seen.read_until(b"tick 20\r\n")
    seen.type(b"\x1a")
    seen.read_until(b"Stopped")
    time.sleep(0.3)
    seen.type(b"echo between\r")
    stopped = seen.read_until(b"\rbetween\r\n")
    assert b"done\r\n" not in stopped
    assert b"tick" not in stopped
    seen.type(b"fg\r")
    seen.read_until(b"done\r\n")
    seen.read_until(b"$ ")
    seen.type(b"echo code $?; exit\r")
    assert b"code 0" in seen.rest()
    seen.end()


def test_with_output_to_a_file_it_has_no_terminal_there(store, tmp_path):
    own = " ".join(
        f"'{word}'" for word in command(*python(ASKS.replace(", os.get_terminal_size()", "")))
    )
    seen = Terminal(["sh", "-c", f"{own} > {tmp_path}/out"], environment(store))
    assert seen.end()[1] == 0
    assert (tmp_path / "out").read_text() == "[True, False, True]\n"


def test_input_from_a_pipe_is_read_while_the_output_is_a_terminal(store):
    own = " ".join(f"'{word}'" for word in command("sh", "-c", "cat; echo b"))
    seen = Terminal(["sh", "-c", f"echo a | {own}"], environment(store))
    assert seen.end() == (b"a\r\nb\r\n", 0)


def test_in_a_pipeline_keys_are_for_who_reads_them(store):
    """As `make | less`: what is typed is not ours, though our input is the terminal."""
    own = " ".join(f"'{word}'" for word in command("sh", "-c", "sleep 1; echo built; test -t 2"))
    reads = '(cat; read key < /dev/tty; echo "got <$key>")'
    seen = Terminal(["sh", "-c", f"{own} | {reads}"], environment(store))
    seen.type(b"typed\r")
    assert b"got <typed>" in seen.end()[0]


def test_in_a_pipeline_an_interrupt_reaches_the_command_once(store, tmp_path):
    script = tmp_path / "counts.py"
    script.write_text(
        "import pathlib, signal, time\ncount = 0\n"
        "def caught(*_):\n    global count\n    count += 1\n"
        "signal.signal(signal.SIGINT, caught)\nprint('ready', flush=True)\n"
        "end = time.monotonic() + 10\n"
        "while not count and time.monotonic() < end: time.sleep(0.05)\n"
        "time.sleep(0.5)\n"
        "pathlib.Path(__file__).with_name('count').write_text(str(count))\n"
    )
    own = " ".join(f"'{word}'" for word in command(sys.executable, script))
    seen = Terminal(["sh", "-c", f"{own} | cat"], environment(store))
    seen.read_until(b"ready\r\n")
    seen.type(b"\x03")
    seen.end()
    deadline = time.monotonic() + 60
    while not (tmp_path / "count").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (tmp_path / "count").read_text() == "1"


def test_when_the_terminal_goes_the_command_hears_of_it(terminal, tmp_path):
    text = (
        "import signal, sys, time, pathlib\n"
        f"def hup(*_): pathlib.Path({str(tmp_path / 'hup')!r}).write_text('x'); sys.exit()\n"
        f"signal.signal(signal.SIGHUP, hup)\nprint('ready')\n{WAITS}"
    )
    seen = terminal(*python(text))
    seen.read_until(b"ready\r\n")
    os.close(seen.fd)
    os.waitpid(seen.pid, 0)
    deadline = time.monotonic() + 60
    while not (tmp_path / "hup").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (tmp_path / "hup").exists()


def test_in_the_background_of_a_shell_it_runs_on(store):
    env = environment(store, PS1="$ ", HISTFILE="")
    seen = Terminal(["bash", "--norc", "-i"], env)
    own = " ".join(f"'{word}'" for word in command("sh", "-c", "sleep 0.5; echo back''ground"))
    seen.type(own.encode() + b" &\r")
    seen.read_until(b"background")
    seen.type(b"exit\r")
    seen.end()
