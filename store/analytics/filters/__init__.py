"""Filters: `severity>=warning service_name=api`, for `--where`, the filter bar and queries."""

from store.analytics.filters.completion import Completion, completion
from store.analytics.filters.filter import Filter, nearest, parse_filter, term

__all__ = ["Completion", "Filter", "completion", "nearest", "parse_filter", "term"]
