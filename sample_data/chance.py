"""Chance that is the same everywhere: expressions that draw one number a row out of a seed.

SplitMix64 in Polars' integers, so that millions of rows cost milliseconds and no version of a
library changes what a seed gives. https://prng.di.unimi.it/splitmix64.c
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

_GOLDEN: Final = 0x9E3779B97F4A7C15
_FIRST: Final = 0xBF58476D1CE4E5B9
_SECOND: Final = 0x94D049BB133111EB


def mixed(number: pl.Expr) -> pl.Expr:
    """A bijection of 64-bit integers whose outputs look unrelated."""
    once = (number ^ (number // 2**30)) * pl.lit(_FIRST, pl.UInt64)
    twice = (once ^ (once // 2**27)) * pl.lit(_SECOND, pl.UInt64)
    return twice ^ (twice // 2**31)


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws that depend on the seed, a purpose's name and the row's place in its frame."""

    seed: int

    def integer(self, purpose: str) -> pl.Expr:
        """Any 64-bit integer."""
        row = pl.int_range(1, pl.len() + 1, dtype=pl.UInt64)
        start = (self.seed * 0x100000001B3 + zlib.crc32(purpose.encode())) % 2**64
        return mixed(row * pl.lit(_GOLDEN, pl.UInt64) + pl.lit(start, pl.UInt64))

    def uniform(self, purpose: str) -> pl.Expr:
        """From 0 up to, but without, 1."""
        return (self.integer(purpose) // 2**11).cast(pl.Float64) * 2.0**-53

    def happens(self, purpose: str, probability: float | pl.Expr) -> pl.Expr:
        """True with that probability."""
        return self.uniform(purpose) < probability

    def normal(self, purpose: str) -> pl.Expr:
        """Mean 0, deviation 1 (Box and Muller)."""
        radius = (-2 * (1 - self.uniform(purpose)).log()).sqrt()
        return radius * (2 * math.pi * self.uniform(f"{purpose} angle")).cos()

    def lognormal(self, purpose: str, median: float | pl.Expr, spread: float | pl.Expr) -> pl.Expr:
        """Positive, long to the right: 5 % lie above median · e^(1.64 spread)."""
        return (self.normal(purpose) * spread).exp() * median

    def pick(self, purpose: str, weights: Mapping[str, float]) -> pl.Expr:
        """One of the texts, by weight; `""` among them stands for a missing value."""
        texts = pl.Series([text or None for text in weights], dtype=pl.String)
        upper = pl.Series(weights.values(), dtype=pl.Float64).cum_sum()
        chosen = pl.lit(upper).search_sorted(self.uniform(purpose) * upper[-1], side="right")
        return pl.lit(texts).gather(chosen)

    def skewed(self, purpose: str, count: int, skew: float = 2.2) -> pl.Expr:
        """An index below `count`; the low ones come far more often, as users do."""
        return (self.uniform(purpose) ** skew * count).cast(pl.UInt32)
