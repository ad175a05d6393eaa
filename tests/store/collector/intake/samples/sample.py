"""One good delivery for each way to speak to an intake; tests of all decoders run over them.

The module here that is called as an intake has its `SAMPLES`, a tuple of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from urllib.parse import quote, urlencode

from store.collector.intake import INTAKES, Delivery, Intake, Reply, Request
from store.event import EventIds
from store.normalise import Decoded
from store.settings import Limits
from store.tally import Receipt
from tests.decoding import RECEIVED


@dataclass(frozen=True)
class Sample:
    name: str
    intake: str
    path: str
    body: bytes
    events: int
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside the content type; names in lower case."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the query. As an intake sees them, as is the path: decoded."""
    method: str = "POST"
    status: int = 200
    """Of the answer to the whole body."""
    whole: bool = True
    """A part of the body is no delivery."""
    is_twin: bool = False
    """Another sample differs from it in its path alone."""
    limits: Limits = field(default_factory=Limits)

    @property
    def spoken_by(self) -> Intake:
        return next(each for each in INTAKES if each.name == self.intake)

    @property
    def target(self) -> str:
        """As the request line has it."""
        path = quote(self.path)
        return f"{path}?{urlencode(self.parameters)}" if self.parameters else path

    @property
    def all_headers(self) -> dict[str, str]:
        return {"content-type": self.content_type, **self.headers}

    def delivery(self, body: bytes) -> Delivery:
        ids = EventIds(RECEIVED.timestamp)
        return Delivery(
            body, self.path, self.parameters, self.all_headers, RECEIVED, ids, self.limits
        )

    def decode(self, body: bytes | None = None) -> Decoded:
        return self.spoken_by.decode(self.delivery(self.body if body is None else body))

    def reply(self, decoded: Decoded) -> Reply:
        """What the sender is told once all of it is stored."""
        errors = tuple(decoded.refusals)
        receipt = Receipt(stored=decoded.events.height, rejected=len(errors), errors=errors)
        return self.spoken_by.reply(receipt, Request(self.path, self.all_headers, decoded.note))


def all_samples() -> tuple[Sample, ...]:
    """Those of every intake; each has some."""
    modules = (import_module(f"{__package__}.{intake.name}") for intake in INTAKES)
    return tuple(sample for module in modules for sample in module.SAMPLES)
