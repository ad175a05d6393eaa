"""`eventdeck collect`: the collector, in the foreground."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from store.errors import UsageError
from store.settings import GRPC_PORT, OFF, STATSD_PORT
from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console

if TYPE_CHECKING:
    from store.collector.presence import Listening

EXAMPLE = """\
eventdeck collect
eventdeck collect --port 0 --json
eventdeck collect --follow /var/log/shop.log --logs"""
DEFAULT_PORTS: Final = {"--grpc-port": GRPC_PORT, "--statsd-port": STATSD_PORT}


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument("--host", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)")
    parser.add_argument(
        "--port", metavar="N", type=_port, help="for HTTP (default: 4318); 0 takes a free one"
    )
    for option, port in DEFAULT_PORTS.items():
        protocol = option[2:].removesuffix("-port")
        parser.add_argument(
            option, metavar="N", type=_port, help=f"for {protocol} (default: {port}); off for none"
        )
    parser.add_argument(
        "--follow",
        metavar="PATH",
        action="append",
        help="take the events out of this file as it grows",
    )
    parser.add_argument(
        "--logs", action="store_true", default=None, help="and the lines of ordinary logs in it"
    )
    add_formats(parser, csv=False)


def run(options: Options, console: Console) -> int:
    """Until SIGTERM or Ctrl-C; then it drains and leaves with 0."""
    from store.collector.server import serve

    if options.port == OFF:
        raise UsageError("--port", "without HTTP nothing would listen", next_step="name a port")
    settings = settings_of(options)
    named = {
        "host": options.host,
        "port": options.port,
        "grpc_port": options.grpc_port,
        "statsd_port": options.statsd_port,
        "follow": tuple(options.follow) if options.follow else None,
        "follow_logs": options.logs,
    }
    changes = {name: value for name, value in named.items() if value is not None}
    settings = replace(settings, collector=replace(settings.collector, **changes))

    def announce(listening: "Listening") -> None:
        # Whoever reads the line may close the pipe after it; the collector goes on.
        with contextlib.suppress(BrokenPipeError):
            if options.json:
                console.json(listening.as_json())
            else:
                console.line(listening.line())

    serve(settings, announce=announce)
    return 0


def _port(text: str) -> int:
    if text == "off":
        return OFF
    if not text.isdecimal() or not text.isascii() or int(text) > 65_535:
        raise UsageError("port", f"{text!r} is no port", next_step="write 0 to 65535, or off")
    return int(text)


COMMAND = Command("collect", "the collector, in the foreground", EXAMPLE, configure, run)
