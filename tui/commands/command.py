"""What a command is, and the parser that all of them share."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from store.errors import UsageError
from tui.commands.console import Console

Options = argparse.Namespace

# Options that may stand before the first word and take one: those of every command, those of the
# dashboard, which needs no subcommand, and what brings analyses that the first word may name.
LEADING: Final = ("--store", "--config", "--tz", "--theme", "--plugin")


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand; COMMANDS lists them. Modules of commands import what they need when run."""

    name: str
    help: str
    example: str
    """Shown by `--help`; a line each, as one would type it."""
    configure: Callable[["Parser", Sequence[str]], None]
    """Adds the options; gets the words of the command line, for those that depend on them."""
    run: Callable[[Options, Console], int]
    """Does it and gives the exit code; raises StoreError for what a person must be told."""


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from store import VERSION

        print(f"eventdeck {VERSION}")
        parser.exit()


class Parser(argparse.ArgumentParser):
    """argparse, but it raises UsageError, never guesses at abbreviations, and lets the value of an
    option begin with a dash (`--since -15m`, `--where -user_id=ada`).
    """

    takes_command = False
    """Whether all words after `--` are a command of their own (`command` among the options)."""

    def __init__(
        self, prog: str, description: str = "", example: str = "", *, bare: bool = False
    ) -> None:
        """`bare`: without the options that every command has, `--help` among them."""
        epilog = "\n".join(f"  {line}" for line in example.splitlines())
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"example:\n{epilog}",
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=not bare,
        )
        if bare:
            return
        everywhere = self.add_argument_group("everywhere")
        everywhere.add_argument(
            "--store", metavar="DIR", help="the store's folder (or EVENTDECK_STORE)"
        )
        everywhere.add_argument(
            "--config", metavar="FILE", help="settings in TOML (or EVENTDECK_CONFIG)"
        )
        everywhere.add_argument("--quiet", action="store_true", help="say nothing but errors")
        self.add_argument("--version", nargs=0, action=_Version, help=argparse.SUPPRESS)

    def option_actions(self) -> Mapping[str, argparse.Action]:
        """The options by their names, with what each takes."""
        return self._option_string_actions

    def read(self, words: Sequence[str]) -> Options:
        """The options; positional words may stand anywhere between them."""
        own, command = list(words), []
        if self.takes_command and "--" in own:
            at = own.index("--")
            own, command = own[:at], own[at + 1 :]
        options = self.parse_intermixed_args(self._joined(own))
        if self.takes_command:
            options.command = command
        return options

    def error(self, message: str) -> NoReturn:
        fault = message.removeprefix("argument ")
        unknown = fault.removeprefix("unrecognized arguments: ").split()[0]
        if fault.startswith("unrecognized") and unknown.startswith("--"):
            known = [name for name in self._option_string_actions if name.startswith("--")]
            hint = did_you_mean(unknown.partition("=")[0], known)
            raise UsageError(self.prog, f"there is no option {unknown}", next_step=hint)
        if fault.startswith("unrecognized"):
            fault = f"what is {unknown!r}?"
        help_step = f"see {self.prog} --help" if self.add_help else ""
        raise UsageError(self.prog, fault, next_step=help_step)

    def _joined(self, words: Sequence[str]) -> list[str]:
        """`--since -15m` as `--since=-15m`: argparse takes the value for an option otherwise."""
        known = self._option_string_actions
        joined: list[str] = []
        at = 0
        while at < len(words) and words[at] != "--":
            word, following = words[at], words[at + 1 : at + 2]
            takes_one = word.startswith("--") and word in known and known[word].nargs is None
            pair = takes_one and following and following[0] not in known
            joined.append(f"{word}={following[0]}" if pair else word)
            at += 2 if pair else 1
        return [*joined, *words[at:]]


def first_word_at(words: Sequence[str]) -> int | None:
    """Where the first word stands that is neither an option nor the value of a LEADING one."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        at += 2 if words[at] in LEADING else 1
    return at if at < len(words) else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What to say about a word that is not among the known ones."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(word, names, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


def add_formats(parser: Parser, *, csv: bool = True) -> None:
    """`--json`, and `--csv` where the answer is a table."""
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="JSON")
    if csv:
        formats.add_argument("--csv", action="store_true", help="a table with a header")


def settings_of(options: Options) -> Any:
    """The Settings of this command: `--store` or EVENTDECK_STORE over the settings file."""
    import os
    from pathlib import Path

    from store.settings import load_settings

    named = options.store if options.store is not None else os.environ.get("EVENTDECK_STORE")
    if options.store == "":
        raise UsageError("--store", "it names no folder", next_step="write --store DIR")
    config = Path(options.config) if options.config else None
    return load_settings(Path(named) if named else None, config)
