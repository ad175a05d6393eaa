"""All analyses; a new one is a file and an entry here."""

from typing import Final

from store.analytics.adoption import AdoptionAnalysis
from store.analytics.analysis import AnyAnalysis
from store.analytics.anomalies import AnomaliesAnalysis
from store.analytics.changes import ChangesAnalysis
from store.analytics.compare import CompareAnalysis
from store.analytics.components import ComponentsAnalysis
from store.analytics.explain import ExplainAnalysis
from store.analytics.funnel.analysis import FunnelAnalysis
from store.analytics.funnel.drivers import DriversAnalysis, SeenAnalysis
from store.analytics.funnel.trend import FunnelTrendAnalysis
from store.analytics.funnel.why import WhyAnalysis
from store.analytics.histogram import HistogramAnalysis
from store.analytics.increase import IncreaseAnalysis
from store.analytics.lifecycle import LifecycleAnalysis
from store.analytics.names import NamesAnalysis
from store.analytics.paths.drop_off import DropOffAnalysis
from store.analytics.paths.paths import PathsAnalysis
from store.analytics.paths.transitions import TransitionsAnalysis
from store.analytics.percentiles import PercentilesAnalysis
from store.analytics.performance import PerformanceAnalysis
from store.analytics.profile import ProfileAnalysis
from store.analytics.reach import ReachAnalysis
from store.analytics.releases import ReleasesAnalysis
from store.analytics.retention import RetentionAnalysis
from store.analytics.sessions.analysis import SessionsAnalysis
from store.analytics.stickiness import StickinessAnalysis
from store.analytics.top import TopAnalysis
from store.analytics.trends import TrendsAnalysis

ANALYSES: Final[tuple[AnyAnalysis, ...]] = (
    TrendsAnalysis(),
    PercentilesAnalysis(),
    TopAnalysis(),
    FunnelAnalysis(),
    FunnelTrendAnalysis(),
    DriversAnalysis(),
    SessionsAnalysis(),
    PathsAnalysis(),
    TransitionsAnalysis(),
    DropOffAnalysis(),
    RetentionAnalysis(),
    LifecycleAnalysis(),
    StickinessAnalysis(),
    AdoptionAnalysis(),
    ReachAnalysis(),
    ComponentsAnalysis(),
    PerformanceAnalysis(),
    CompareAnalysis(),
    AnomaliesAnalysis(),
    NamesAnalysis(),
    ReleasesAnalysis(),
    ChangesAnalysis(),
    IncreaseAnalysis(),
    HistogramAnalysis(),
)
HELPERS: Final[tuple[AnyAnalysis, ...]] = (
    ExplainAnalysis(),
    ProfileAnalysis(),
    SeenAnalysis(),
    WhyAnalysis(),
)
"""Asked by other analyses, not by people."""
