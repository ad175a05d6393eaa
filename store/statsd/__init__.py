"""StatsD and DogStatsD: what their lines say, as events, and gauges that tell only their change."""

from store.statsd.decoding import decode_statsd
from store.statsd.gauges import Gauges

__all__ = ["Gauges", "decode_statsd"]
