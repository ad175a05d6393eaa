"""What a program printed, on its way from who reads it to who stores it: lines with their numbers.

`NUMBER TAB LINE`, each ended by a line feed. Whose output it is and where it was printed is in the
parameters of the address, so that a delivery that is repeated gives the same events again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlencode

from store.vacuum.sieve import Found

PATH: Final = "/v1/lines"
CONTENT_TYPE: Final = "application/x-numbered-lines"
STREAMS: Final = ("stdout", "stderr")
_RUN_CHARS_MAX: Final = 64
_NUMBER_DIGITS_MAX: Final = 15


@dataclass(frozen=True, slots=True)
class Printed:
    """Whose output some lines are, and when they were read."""

    run: str = ""
    """Tells this run of a program from all others: ids are made of it. Empty: not known."""
    stream: str = ""
    """One of STREAMS; empty where they are one, as on a terminal."""
    read_us: int | None = None
    """The time of lines without one, in Unix microseconds."""
    logs: bool = False
    """Whether ordinary logs are events too."""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self:
        """What is not of the right form is left out."""
        run, stream, read = (parameters.get(name, "") for name in ("run", "stream", "read_us"))
        return cls(
            run if run.isascii() and run.isalnum() and len(run) <= _RUN_CHARS_MAX else "",
            stream if stream in STREAMS else "",
            int(read) if read.isascii() and read.isdecimal() and len(read) <= 17 else None,
            parameters.get("logs") == "1",
        )

    @property
    def target(self) -> str:
        """The path and the query that say so."""
        said = {"run": self.run, "stream": self.stream, "read_us": self.read_us}
        given = {name: value for name, value in said.items() if value}
        if self.logs:
            given["logs"] = "1"
        return f"{PATH}?{urlencode(given)}" if given else PATH

    def ids(self, numbers: list[int]) -> list[str]:
        """One for each line, ascending; no UUIDs, so that none is taken for a time."""
        return [f"{self.run}-{self.stream or 'tty'}-{number:010x}" for number in numbers]


def packed(lines: list[tuple[int, bytes]]) -> bytes:
    """The body that says these lines."""
    return b"".join(b"%d\t%b\n" % line for line in lines)


def unpacked(body: bytes) -> Found:
    """The lines of a body; one without a number, as nobody sends it, has that of its place."""
    found = Found()
    for place, text in enumerate(body.split(b"\n"), 1):
        number, tab, line = text.partition(b"\t")
        is_numbered = bool(tab) and number.isdigit() and len(number) <= _NUMBER_DIGITS_MAX
        if text:
            found.add(line if is_numbered else text, int(number) if is_numbered else place)
    return found
