"""StatsD and DogStatsD, whose lines come in datagrams (store.collector.datagrams)."""

from store.collector.intake.intake import Delivery, Reply, Request, plain_refusal
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.statsd import decode_statsd
from store.tally import Receipt


class StatsdIntake:
    """At most once: a datagram may be lost on its way, and nobody is told."""

    name = "statsd"
    routes: tuple[tuple[str, str], ...] = ()

    def decode(self, delivery: Delivery) -> Decoded:
        """Events and refusals of the lines; signed gauges are not settled yet."""
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        return decode_statsd(delivery.body, arrival)

    def reply(self, _receipt: Receipt, _request: Request) -> Reply:
        """Senders of datagrams wait for none."""
        return Reply(204, b"")

    def refusal(self, refused: Refused, receipt: Receipt | None, _request: Request) -> Reply:
        """Nor for this one."""
        return plain_refusal(refused, receipt)
