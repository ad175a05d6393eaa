"""OpenTelemetry's protocol: what its requests hold, as events, whatever way they came."""

from store.otlp.requests import BODY, SIGNALS, Signal, decode_otlp, json_raw
from store.otlp.together import decode_together

__all__ = ["BODY", "SIGNALS", "Signal", "decode_otlp", "decode_together", "json_raw"]
