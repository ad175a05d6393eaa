"""The analyses, one a file, each a few pure functions over Polars frames."""
