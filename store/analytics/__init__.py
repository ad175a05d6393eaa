"""The analyses, one a file, each a few pure functions over Polars frames; ANALYSES lists them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store.analytics.registry import ANALYSES

__all__ = ["ANALYSES"]


def __getattr__(name: str) -> Any:
    # Late: queries and shapes are imported before the first paint, which must not wait for Polars.
    if name == "ANALYSES":
        from store.analytics.registry import ANALYSES

        return ANALYSES
    raise AttributeError(name)
