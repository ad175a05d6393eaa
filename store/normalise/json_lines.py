"""Bytes to JSON objects: lines, an array, or one object; each fault with its place."""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from store.normalise.json_text import Fault, NotTakenError, exact_loads, loads
from store.tally import Refusal

Object = dict[str, Any]
# Past these many refusals in one body those with the same reason share one text, so that a body
# of 32 million broken lines costs eight bytes for each and not a kilobyte.
REFUSALS_APART_MAX: Final = 10_000
EVENT: Final = "event "
"""What goes before the number of an array's element."""
_MARK: Final = re.compile(rb'\\.|["\[\]{},]', re.DOTALL)
_BLANK: Final = re.compile(rb"[ \t\r\n]*")
_BOMS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(slots=True)
class Refusals:
    """Gathers what was refused: all of it counted, the first in full."""

    all: list[Refusal] = field(default_factory=list)
    _shared: dict[str, Refusal] = field(default_factory=dict)

    def add(self, place: str, fault: Fault) -> None:
        if len(self.all) < REFUSALS_APART_MAX:
            self.all.append(Refusal(place, fault.text, fault.reason))
            return
        later = Refusal(f"{place} and later", fault.text, fault.reason)
        self.all.append(self._shared.setdefault(fault.reason, later))


@dataclass(slots=True)
class Objects:
    """JSON objects in their order, and where each stood."""

    rows: list[Object]
    numbers: Sequence[int]
    """The number of each row's line, or of the event in its array; from 1."""
    where: str
    """What goes before a number to name the place: `line `, `event `, `shop.ndjson:`, `batch[`."""
    flat: bool = False
    """True: surely none of the values is an object or a list."""
    bytes_max: int | None = None
    """No object took more bytes than this; None: not known."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Complete lines of JSON."""

    text: bytes
    first: int = 1
    """The number of the first line."""
    where: str = "line "


def placed(where: str, number: int) -> str:
    """The place of a record; a bracket that `where` opens is closed."""
    return f"{where}{number}]" if where.endswith("[") else f"{where}{number}"


def objects_of_lines(
    lines_of: Lines, line_bytes_max: int, refusals: Refusals, *, exact: bool = False
) -> Objects:
    """One object a line; blank lines count as lines alone.

    With `exact`, integers past 64 bits stay integers, at a tenth of the speed.
    """
    text, first, where = lines_of.text, lines_of.first, lines_of.where
    lines = text.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    longest = max(map(len, lines), default=0)
    rows = None if exact or longest > line_bytes_max else _joined(lines)
    if rows is not None:
        flat = text.count(b"{") == len(rows) and b"[" not in text
        return Objects(rows, range(first, first + len(rows)), where, flat, longest)
    taken: list[tuple[int, Object]] = []
    load = exact_loads if exact else loads
    for number, line in enumerate(lines, first):
        if _BLANK.fullmatch(line):
            continue
        try:
            taken.append((number, _object(line, line_bytes_max, load)))
        except NotTakenError as refused:
            refusals.add(f"{where}{number}", refused.fault)
    numbers, objects = [number for number, _ in taken], [found for _, found in taken]
    return Objects(objects, numbers, where, bytes_max=min(longest, line_bytes_max))


def _joined(lines: list[bytes]) -> list[Object] | None:
    """All lines in one call, a third faster than one by one; None unless each is one object.

    The comma comes after the line's end, so that a line broken within a text stays broken.
    """
    try:
        rows: list[Any] = orjson.loads(b"[" + b"\n,".join(lines) + b"]")
    except orjson.JSONDecodeError:
        return None
    return rows if len(rows) == len(lines) and set(map(type, rows)) <= {dict} else None


def _object(line: bytes, bytes_max: int, load: Callable[[bytes], Any]) -> Object:
    if len(line) > bytes_max:
        fault = f"it is longer than {bytes_max:,} bytes"
        raise NotTakenError(Fault("too_large", fault))
    value = load(line)
    if type(value) is not dict:
        raise NotTakenError(not_an_object(value))
    return value


def not_an_object(value: Any) -> Fault:
    names = {list: "an array", str: "text", bool: "a boolean", type(None): "null"}
    found = names.get(type(value), "a number")
    return Fault("not_an_object", f"it is {found}, an event is a JSON object")


def objects_of_body(
    body: bytes, refusals: Refusals, where: str = EVENT, *, exact: bool = False
) -> Objects:
    """One object, or an array of them.

    Of a broken array, the elements that can be read are taken.
    """
    try:
        value = exact_loads(body) if exact else loads(body)
    except NotTakenError as refused:
        if not body.startswith(b"["):
            refusals.add(f"{where}1", refused.fault)
            return Objects([], [], where)
        values = list(_elements_of_broken(body, refusals, where, refused.fault))
    else:
        values = value if isinstance(value, list) else [value]
    found = _only_objects(values, refusals, where, len(body))
    found.flat = body.count(b"{") == len(found.rows) and body.count(b"[") <= 1
    return found


def _only_objects(values: list[Any], refusals: Refusals, where: str, size: int) -> Objects:
    if set(map(type, values)) <= {dict}:
        return Objects(values, range(1, len(values) + 1), where, bytes_max=size)
    rows: list[Object] = []
    numbers: list[int] = []
    for number, value in enumerate(values, 1):
        if type(value) is dict:
            rows.append(value)
            numbers.append(number)
        else:
            refusals.add(f"{where}{number}", not_an_object(value))
    return Objects(rows, numbers, where, bytes_max=size)


def _elements_of_broken(body: bytes, refusals: Refusals, where: str, fault: Fault) -> Iterator[Any]:
    """Each element by itself; where all of them can be read, `fault` is what is refused."""
    broken = number = 0
    for number, piece in enumerate(_pieces(body), 1):
        try:
            yield loads(piece)
        except NotTakenError as refused:
            refusals.add(f"{where}{number}", refused.fault)
            broken += 1
    if not broken:
        refusals.add(f"{where}{number + 1}", fault)


def _pieces(body: bytes) -> Iterator[bytes]:
    """The texts between the commas of the outermost array, closed or not."""
    depth, start, quoted = 0, 1, False
    for match in _MARK.finditer(body, 1):
        mark = match[0]
        if mark == b'"':
            quoted = not quoted
        if quoted or mark not in b"[{}],":
            continue
        depth += (mark in b"[{") - (mark in b"]}")
        if depth < 0 or (depth == 0 and mark == b","):
            yield body[start : match.start()]
            start = match.end()
        if depth < 0:
            return
    if body[start:].strip():
        yield body[start:]


def foreign_encoding(body: bytes) -> Fault | None:
    """The fault of a body that is text, but not in UTF-8."""
    if body.startswith(_BOMS) or body[:1] == b"\x00" or body[1:2] == b"\x00":
        return Fault("bad_encoding", "it is UTF-16 or UTF-32; send UTF-8")
    return None
