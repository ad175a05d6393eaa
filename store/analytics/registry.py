"""All analyses; a new one is a file and an entry here."""

from typing import Final

from store.analytics.analysis import Analysis
from store.analytics.names import NamesAnalysis
from store.analytics.percentiles import PercentilesAnalysis
from store.analytics.releases import ReleasesAnalysis
from store.analytics.top import TopAnalysis
from store.analytics.trends import TrendsAnalysis

ANALYSES: Final[tuple[Analysis, ...]] = (
    TrendsAnalysis(),
    PercentilesAnalysis(),
    TopAnalysis(),
    NamesAnalysis(),
    ReleasesAnalysis(),
)
