"""Elasticsearch's bulk API, as its clients and most shippers of logs speak it.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import orjson
import polars as pl
import xxhash

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.intake.records import Load, Record, decode_records, joined
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals, not_an_object
from store.normalise.json_text import Fault, NotTakenError
from store.otlp.bounds import check_json
from store.tally import Receipt

PRODUCT: Final[Mapping[str, str]] = {"x-elastic-product": "Elasticsearch"}
"""Without it, Elastic's own clients refuse to go on."""
WHERE: Final = "line "
_ADDING: Final = frozenset({"index", "create"})
_ACTIONS: Final = _ADDING | {"delete", "update"}
# Elastic Common Schema -> our columns. https://www.elastic.co/docs/reference/ecs
_ADOPTED: Final[Mapping[str, str]] = {
    "@timestamp": "event_time",
    "event.action": "event_name",
    "service.name": "service_name",
    "service.version": "service_version",
    "log.level": "severity_text",
    "trace.id": "trace_id",
    "span.id": "span_id",
    "parent.id": "parent_span_id",
    "user.id": "user_id",
    "session.id": "session_id",
}
# Each with what stands before and after its first dot, as a document may have it nested.
_PATHS: Final = tuple(
    (path, path.partition(".")[0], path.partition(".")[2], name) for path, name in _ADOPTED.items()
)
_NAME: Final = "eventdeck"
_VERSION: Final = {
    "number": "9.0.0",
    "build_flavor": "default",
    "build_type": "tar",
    "minimum_wire_compatibility_version": "8.0.0",
    "minimum_index_compatibility_version": "8.0.0",
}
# What shippers ask before they send: who is there, whether it is well, whether it is licensed.
_PAGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "/": {
        "name": _NAME,
        "cluster_name": _NAME,
        "cluster_uuid": _NAME,
        "version": _VERSION,
        "tagline": "You Know, for Search",
    },
    "/_cluster/health": {"cluster_name": _NAME, "status": "green", "timed_out": False},
    "/_license": {"license": {"status": "active", "type": "basic", "uid": _NAME}},
}


class Item(NamedTuple):
    """One action, as the reply names it."""

    action: str
    index_name: str
    id: str
    fault: str = ""
    """Why its document was not taken."""
    reason: str = ""


class ElasticIntake:
    """Exactly once for documents with an `_id`, which index and id together are: the first stays.
    Nothing is updated or deleted.
    """

    name = "elastic"
    routes: tuple[tuple[str, str], ...] = (
        *((method, path) for path in ("/_bulk", "/{index}/_bulk") for method in ("POST", "PUT")),
        *((method, path) for path in _PAGES for method in ("GET", "HEAD")),
    )

    def decode(self, delivery: Delivery) -> Decoded:
        """One event a document; `Decoded.note` are the Items, in the order of their actions."""
        if delivery.path in _PAGES:
            return Decoded(pl.DataFrame())
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        index = unquote(delivery.path.removesuffix("_bulk").strip("/"))
        items: list[tuple[int, Item]] = []

        def find(load: Load, refusals: Refusals) -> Objects:
            check_json(delivery.body)
            items.clear()
            reading = _Reading(load, refusals, index, delivery.limits.line_bytes_max, items)
            return reading.objects(delivery.body)

        found = decode_records(find, arrival)
        return replace(found, note=[tuple(item) for item in _settled(items, found)])

    def reply(self, receipt: Receipt, request: Request) -> Reply:
        """200, and a status for each item."""
        if request.path in _PAGES:
            return Reply(200, orjson.dumps(_PAGES[request.path]), headers=PRODUCT)
        items = [Item(*each) for each in request.note or ()]
        if not items:
            fault = receipt.errors[0].fault if receipt.errors else "it is empty; send actions"
            return _failure(400, "parse_exception", fault)
        document = {
            "errors": any(item.fault for item in items),
            "took": 0,
            "items": [_told(item) for item in items],
        }
        return Reply(200, orjson.dumps(document), headers=PRODUCT)

    def refusal(self, refused: Refused, _receipt: Receipt | None, _request: Request) -> Reply:
        """Elasticsearch's form of an error."""
        return _failure(refused.status, refused.reason, refused.fault, refused.headers)


@dataclass(slots=True)
class _Reading:
    """Actions and their documents, line by line."""

    load: Load
    refusals: Refusals
    index: str
    """Of the path; an action may name another."""
    line_bytes_max: int
    items: list[tuple[int, Item]]
    """Each with the number of its document's line, or of its own where it has none."""
    rows: list[Record] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    known: dict[bytes, Item] = field(default_factory=dict)
    """The same action comes again and again."""

    def objects(self, body: bytes) -> Objects:
        lines = [(n, line) for n, line in enumerate(body.split(b"\n"), 1) if line.strip()]
        if not lines:
            raise NotTakenError(Fault("empty", "it is empty; send actions and documents"))
        at = 0
        while at < len(lines):
            at += self.take(*lines[at], *lines[at + 1 : at + 2])
        return Objects(self.rows, self.numbers, WHERE)

    def take(self, number: int, line: bytes, following: tuple[int, bytes] = (0, b"")) -> int:
        """How many lines the action takes that begins there."""
        document_number, document = following
        try:
            item = self.action(line)
        except NotTakenError as refused:
            self.refuse(number, Item("index", self.index, ""), refused.fault)
            return 2 if document and not self.is_action(document) else 1
        if item.action == "delete" or not document:
            document_number, document = number, b""
        try:
            self.add(item, document)
        except NotTakenError as refused:
            self.refuse(document_number, item, refused.fault)
        else:
            self.items.append((document_number, item))
            self.numbers.append(document_number)
        return 1 if item.action == "delete" else 2

    def add(self, item: Item, document: bytes) -> None:
        if item.action not in _ADDING:
            fault = f"{item.action} is not done here: documents are added and stay as they are"
            raise NotTakenError(Fault("bad_action", fault))
        if not document:
            raise NotTakenError(Fault("no_document", "its document is missing"))
        if len(document) > self.line_bytes_max:
            fault = f"it is longer than {self.line_bytes_max:,} bytes"
            raise NotTakenError(Fault("too_large", fault))
        value = self.load(document)
        if type(value) is not dict:
            raise NotTakenError(not_an_object(value))
        self.rows.append(_event(value, item))

    def action(self, line: bytes) -> Item:
        found = self.known.get(line)
        if found is None:
            found = _item(self.load(line), self.index)
            if not found.id:
                self.known[line] = found
        return found

    def is_action(self, line: bytes) -> bool:
        try:
            self.action(line)
        except NotTakenError:
            return False
        return True

    def refuse(self, number: int, item: Item, fault: Fault) -> None:
        self.items.append((number, item))
        self.refusals.add(f"{WHERE}{number}", fault)


def _item(value: Any, index: str) -> Item:
    if type(value) is dict and len(value) == 1:
        (action, about), *_ = value.items()
        if action in _ACTIONS and type(about) is dict:
            named, number = about.get("_index") or index, about.get("_id")
            if type(named) is str:
                return Item(action, named, "" if number is None else str(number))
    fault = f"it is no action; send an object with one of {', '.join(sorted(_ACTIONS))}"
    raise NotTakenError(Fault("bad_action", fault))


def _event(document: Record, item: Item) -> Record:
    fields: Record = {"elastic.index": item.index_name or None}
    if item.id:
        fields["event_id"] = _id(item)
    for path, head, last, name in _PATHS:
        if path in document:
            _take(document, path, fields, name)
        elif last and type(within := document.get(head)) is dict and last in within:
            _take(within, last, fields, name)
            if not within:
                del document[head]
    for name in ("event_name", "event_type"):
        if name not in fields and type(document.get(name)) is str:
            fields[name] = document.pop(name)
    fields.setdefault("event_name", item.index_name or "document")
    return joined(document, fields)


def _id(item: Item) -> str:
    both = f"{item.index_name}/{item.id}"
    return both if len(both) <= 200 else xxhash.xxh3_128_hexdigest(both.encode())


def _take(holder: Record, called: str, fields: Record, name: str) -> None:
    """Moves text or a number from `holder` to the field."""
    if type(holder.get(called)) in {str, int, float}:
        fields[name] = holder.pop(called)


def _settled(items: Sequence[tuple[int, Item]], found: Decoded) -> list[Item]:
    """With the ids that were made here, and what is wrong with those that were not taken."""
    ids = dict(zip(found.numbers, found.events["event_id"], strict=True)) if found.numbers else {}
    faults = {refusal.place: refusal for refusal in found.refusals}
    settled = []
    for number, item in items:
        if number in ids:
            settled.append(item if item.id else item._replace(id=ids[number]))
            continue
        refusal = faults.get(f"{WHERE}{number}", found.refusals[-1])
        settled.append(item._replace(fault=refusal.fault, reason=refusal.reason))
    return settled


def _told(item: Item) -> Mapping[str, Any]:
    about: dict[str, Any] = {"_index": item.index_name, "_id": item.id}
    if item.fault:
        error = {"type": "document_parsing_exception", "reason": item.fault}
        return {item.action: {**about, "status": 400, "error": error}}
    done = {"_version": 1, "result": "created", "_seq_no": 0, "_primary_term": 1}
    return {item.action: {**about, **done, "status": 201}}


def _failure(
    status: int, reason: str, fault: str, headers: Mapping[str, str] | None = None
) -> Reply:
    cause = {"type": reason, "reason": fault}
    document = {"error": {"root_cause": [cause], **cause}, "status": status}
    return Reply(status, orjson.dumps(document), headers={**PRODUCT, **(headers or {})})
