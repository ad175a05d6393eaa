"""What a page sends as it goes: `navigator.sendBeacon(url, text)`, on the native path.

The body is the native one. A browser asks no leave for it, and gives it no header but Origin:
that is checked at the door, as for every request (store.collector.security).
"""

from store.collector.intake.intake import Reply, Request
from store.collector.intake.native import NativeIntake
from store.tally import Receipt


class BeaconIntake(NativeIntake):
    """At-least-once for events without an id of their own."""

    name = "beacon"

    def takes(self, request: Request) -> bool:
        """`text/plain`: the one type of a text that needs no leave."""
        return request.content_type == "text/plain"

    def reply(self, receipt: Receipt, request: Request) -> Reply:
        """204, as no page reads an answer; 400 with the receipt when nothing could be read."""
        told = super().reply(receipt, request)
        return Reply(204, b"") if told.status == 200 else told
