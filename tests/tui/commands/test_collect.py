"""What `eventdeck collect` asks of the server, and what it says."""

import io
import json

import pytest

from store.collector.presence import Listening
from store.settings import OFF
from tui.commands import collect
from tui.commands.command import Parser
from tui.commands.console import Console

AT = Listening("http://127.0.0.1:5", "/s", 7)


@pytest.fixture
def served(monkeypatch):
    """The settings that the server was started with."""
    seen = []

    def serve(settings, *, announce):
        seen.append(settings.collector)
        announce(AT)

    monkeypatch.setattr("store.collector.server.serve", serve)
    return seen


def test_the_line_tells_where_it_listens(eventdeck, served):
    done = eventdeck("collect", "--port", "0", "--host", "::1", "--grpc-port", "off")
    assert done == (0, "listening on http://127.0.0.1:5\n", "")
    assert (served[0].host, served[0].port) == ("::1", 0)
    assert json.loads(eventdeck("collect", "--json").out)["http"] == "http://127.0.0.1:5"
    assert served[1].port == 4318


def test_settings_stand_behind_the_options(eventdeck, served, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("[collector]\nport = 7\ntoken = 't'\n")
    eventdeck("collect", "--config", config)
    eventdeck("collect", "--config", config, "--port", "8")
    assert [(each.port, each.token) for each in served] == [(7, "t"), (8, "t")]


def test_the_port_for_grpc_is_4317_another_or_none(eventdeck, served):
    for words in ((), ("--grpc-port", "0"), ("--grpc-port", "off")):
        assert eventdeck("collect", *words).err == ""
    assert [each.grpc_port for each in served] == [4317, 0, OFF]


def test_the_port_for_statsd_is_8125_another_or_none(eventdeck, served):
    for words in ((), ("--statsd-port", "0"), ("--statsd-port", "off")):
        assert eventdeck("collect", *words).err == ""
    assert [each.statsd_port for each in served] == [8125, 0, OFF]


def test_without_http_there_is_nothing_to_do(eventdeck, served):
    assert eventdeck("collect", "--port", "off").code == 2
    assert served == []


def test_a_reader_that_closes_the_pipe_does_not_end_it(served, store):
    class Closed(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    parser = Parser("collect", "", "")
    collect.configure(parser, ())
    options = parser.read(["--store", str(store)])
    assert collect.run(options, Console(out=Closed())) == 0


def test_files_can_be_followed(eventdeck, served):
    eventdeck("collect", "--follow", "a.log", "--follow", "b.log", "--logs")
    assert served[0].follow == ("a.log", "b.log")
    assert served[0].follow_logs
    eventdeck("collect")
    assert (served[1].follow, served[1].follow_logs) == ((), False)
