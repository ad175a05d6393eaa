"""OpenTelemetry's protocol: what its requests hold, as events, whatever way they came."""

from store.otlp.requests import BODY, SIGNALS, Signal, decode_otlp, json_raw

__all__ = ["BODY", "SIGNALS", "Signal", "decode_otlp", "json_raw"]
