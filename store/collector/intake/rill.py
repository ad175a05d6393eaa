"""Rill's telemetry: lines of JSON with Basic credentials, on the native path.

https://github.com/rilldata/rill/tree/main/runtime/pkg/activity
"""

from typing import Final

from store.collector.intake.intake import Request
from store.collector.intake.native import LINES, NativeIntake

# Its client names no type at all.
_TYPES: Final = LINES | {""}


class RillIntake(NativeIntake):
    """Exactly once: every event has an `event_id`."""

    name = "rill"

    def takes(self, request: Request) -> bool:
        """Lines from somebody with a name and a password."""
        scheme = request.headers.get("authorization", "").partition(" ")[0]
        return scheme.lower() == "basic" and request.content_type in _TYPES
