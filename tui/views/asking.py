"""Any analysis as a question: which there are, what each tells, and its options in one text.

The options are written as on the command line, `--event signup --interval 1h`, and read by the same
parser.
"""

import inspect
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from store.analytics.query import Query
from store.errors import UsageError
from tui.commands.command import Parser, did_you_mean
from tui.commands.fields import APART, add_query_options, given, option_name
from tui.view_state import Seen
from tui.views.questions import zone_name

if TYPE_CHECKING:
    from store.analytics.analysis import AnyAnalysis
    from store.analytics.registry import Known
    from tui.widgets.columns import Row

_COMMON: Final = frozenset(part.name for part in fields(Query))


@dataclass(frozen=True, slots=True)
class Told:
    """An analysis in the list: its name, and what it tells in a line."""

    name: str
    says: str

    def row(self) -> "Row":
        return {"name": self.name, "says": self.says}


def menu(known: "Iterable[Known]") -> Sequence[Told]:
    """All analyses in their order; those from outside stand last."""
    from store.analytics.registry import find

    found = ((each.name, find(each.name, (each,))) for each in known)
    return [Told(name, says(analysis)) for name, analysis in found if analysis is not None]


def says(analysis: "AnyAnalysis") -> str:
    """The first line of what its question is documented as, else of what the analysis or its module
    is; a dataclass without words of its own is documented as its signature, which tells nothing.
    """
    kind = analysis.query_type
    module = sys.modules.get(type(analysis).__module__)
    for documented in (kind, type(analysis), module):
        text = (inspect.getdoc(documented) or "").strip() if documented else ""
        if text and not text.startswith(f"{kind.__name__}("):
            return text.splitlines()[0].removesuffix(".")
    return ""


def analysis_of(name: str, known: "Sequence[Known]") -> "AnyAnalysis":
    """The one of that name; a UsageError names the nearest."""
    from store.analytics.registry import find

    found = find(name, known)
    if found is None:
        hint = did_you_mean(name, [each.name for each in known])
        raise UsageError("analyses", f"there is no analysis {name!r}", next_step=hint)
    return found


def words_of(text: str) -> list[str]:
    """The words of the options, as a shell splits them."""
    try:
        return shlex.split(text)
    except ValueError as error:
        fault = str(error).lower()
        raise UsageError("options", fault, next_step="close the quotes") from None


def options_of(name: str, kind: type[Query], text: str) -> Mapping[str, Any]:
    """The fields of the question that the text sets; a UsageError names the option."""
    return given(parser_of(name, kind).read(words_of(text)), kind)


def parser_of(name: str, kind: type[Query]) -> Parser:
    """The parser of `eventdeck query`, with the options of this question alone."""
    parser = Parser(name, bare=True)
    add_query_options(parser, kind)
    return parser


def question(name: str, kind: type[Query], seen: Seen, text: str) -> Query:
    """What the view asks: its span, its filter together with that of the options, and its breakdown
    where they name none.
    """
    from store.analytics.filters import parse_filter

    asked = dict(options_of(name, kind, text))
    view = seen.view
    where = parse_filter(view.where or None).and_(parse_filter(asked.pop("where", None)))
    if view.by and kind.breaks_down:
        asked.setdefault("by", (view.by,))
    tz = zone_name(seen.zone)
    return kind(span=seen.span, where=where.text() or None, tz=tz, **asked)


def own_options(kind: type[Query]) -> list[str]:
    """The names of the options that it alone has, as `--event`."""
    own = [part for part in fields(kind) if part.name not in _COMMON]
    return [option_name(part) for part in own if not part.metadata.get("hidden")]


def all_options(kind: type[Query]) -> list[str]:
    """Its own, then those that every question has and that mean something to it."""
    meaningless = {name for name, means in _meant(kind).items() if not means}
    common = [
        option_name(part)
        for part in fields(kind)
        if part.name in _COMMON - {*APART, *meaningless} and not part.metadata.get("hidden")
    ]
    return [*own_options(kind), *common]


def _meant(kind: type[Query]) -> Mapping[str, bool]:
    return {"by": kind.breaks_down, "compare": kind.compares, "interval": kind.is_timed}


def settings_of(text: str, *, proposed: bool = False) -> list[tuple[str, ...]]:
    """The options of a text as names and values, to be read: `("event", "signup")`; the steps are
    one, with a word where they are `proposed`.
    """
    found: list[tuple[str, str]] = []
    for word in words_of(text):
        if word.startswith("--"):
            name, _, value = word.removeprefix("--").partition("=")
            found.append((name, value))
        elif found:
            name, value = found.pop()
            found.append((name, f"{value} {word}".strip()))
    steps = " ▸ ".join(value for name, value in found if name == "step")
    rest: list[tuple[str, ...]] = [each for each in found if each[0] != "step"]
    said = ("steps", steps, *(["proposed"] if proposed else []))
    return [said, *rest] if steps else rest
