"""Where committed batches go: one system a file."""

from store.collector.sinks.parts import PartSink

SINKS = (PartSink,)
