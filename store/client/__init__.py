"""The instrumenting library: `from store.client import Client`. Light, and safe in any program."""

from store.client.client import Client
from store.client.sender import ClientTally
from store.client.span import Span

__all__ = ["Client", "ClientTally", "Span"]
