"""Filters: `severity>=warning service_name=api`, for `--where`, the filter bar and queries."""

from store.analytics.filters.filter import Filter, nearest, parse_filter, term

__all__ = ["Filter", "nearest", "parse_filter", "term"]
