"""The two ways in which requests are written."""

from typing import Final

from store.otlp.attributes import json_pairs_of, json_value_of, pairs_of, value_of
from store.otlp.metrics import buckets_of, json_buckets_of
from store.otlp.rows import Form

PROTOBUF: Final = Form(pairs_of, value_of, buckets_of)
JSON: Final = Form(json_pairs_of, json_value_of, json_buckets_of)
