"""All analyses; a new one is a file and an entry here."""

from typing import Final

from store.analytics.analysis import Analysis
from store.analytics.trends import TrendsAnalysis

ANALYSES: Final[tuple[Analysis, ...]] = (TrendsAnalysis(),)
