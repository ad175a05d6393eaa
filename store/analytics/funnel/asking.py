"""From the rows that were kept to journeys: where all questions about steps begin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from store.analytics.funnel.breaking import can_be_pruned, pruned
from store.analytics.funnel.definition import Stepped, definition_of
from store.analytics.funnel.journeys import Journeys, is_step, journeys_of
from store.analytics.links import Links
from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import NAME, WHO, settled, with_names
from store.timespan import EPOCH, UNITS


@dataclass(frozen=True, slots=True)
class Asked:
    """Who did what, and the bounds within which attempts begin."""

    rows: pl.DataFrame
    """Settled, in no order."""
    journeys: Journeys
    bounds: Mapping[str, Any]
    """`start`, `end` and `now` in microseconds."""


def asked_of(
    combined: pl.DataFrame, query: Stepped, links: Links, *, best_only: bool = False
) -> Asked:
    """Journeys out of the combined partials; with `best_only` only each subject's best attempt will
    be asked for.
    """
    assert query.span is not None
    made = definition_of(query)
    bounds = {
        "start": micros(query.span.start),
        "end": micros(query.span.end),
        "now": micros(query.as_of) if query.as_of else None,
    }
    rows = settled(combined, links)
    rows = with_names(rows) if NAME in rows.columns else rows
    if made.is_strict:
        prunes = best_only and can_be_pruned(made)
        rows = pruned(rows, made, bounds) if prunes else _of_starters(rows, bounds)
    return Asked(rows, journeys_of(rows, made, bounds["start"]), bounds)


def micros(instant: datetime) -> int:
    return (instant - EPOCH) // UNITS["us"]


def _of_starters(rows: pl.DataFrame, bounds: Mapping[str, Any]) -> pl.DataFrame:
    """Only of those who begin at all: most events of a strict question are others'."""
    in_span = pl.col(TIME).to_physical().is_between(bounds["start"], bounds["end"], closed="left")
    starters = rows.lazy().filter(is_step(0) & in_span).select(WHO).unique()
    return rows.lazy().join(starters, on=WHO, how="semi").collect()
