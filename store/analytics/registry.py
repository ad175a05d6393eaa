"""All analyses; a new one is a file and an entry here."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

from store.analytics.analysis import AnyAnalysis


class Entry(NamedTuple):
    """An analysis before it is asked: its module is read then, since reading all of them would take
    longer than the first answers.
    """

    name: str
    module: str
    """Within store.analytics."""
    type_name: str

    def load(self) -> AnyAnalysis:
        """The analysis, the same one each time."""
        return _made(self)


@cache
def _made(entry: Entry) -> AnyAnalysis:
    made: Any = getattr(import_module(f"store.analytics.{entry.module}"), entry.type_name)
    found: AnyAnalysis = made()
    return found


Known = Entry | AnyAnalysis
"""An analysis, or where it is; both have a name."""

ANALYSES: Final = (
    Entry("trends", "trends", "TrendsAnalysis"),
    Entry("percentiles", "percentiles", "PercentilesAnalysis"),
    Entry("top", "top", "TopAnalysis"),
    Entry("funnel", "funnel.analysis", "FunnelAnalysis"),
    Entry("funnel-trend", "funnel.trend", "FunnelTrendAnalysis"),
    Entry("drivers", "funnel.drivers", "DriversAnalysis"),
    Entry("sessions", "sessions.analysis", "SessionsAnalysis"),
    Entry("paths", "paths.paths", "PathsAnalysis"),
    Entry("journeys", "paths.journeys", "JourneysAnalysis"),
    Entry("went", "paths.went", "WentAnalysis"),
    Entry("transitions", "paths.transitions", "TransitionsAnalysis"),
    Entry("step-matrix", "paths.step_matrix", "StepMatrixAnalysis"),
    Entry("drop-off", "paths.drop_off", "DropOffAnalysis"),
    Entry("retention", "retention", "RetentionAnalysis"),
    Entry("lifecycle", "lifecycle", "LifecycleAnalysis"),
    Entry("stickiness", "stickiness", "StickinessAnalysis"),
    Entry("adoption", "adoption", "AdoptionAnalysis"),
    Entry("reach", "reach", "ReachAnalysis"),
    Entry("components", "components", "ComponentsAnalysis"),
    Entry("performance", "performance", "PerformanceAnalysis"),
    Entry("compare", "compare", "CompareAnalysis"),
    Entry("anomalies", "anomalies", "AnomaliesAnalysis"),
    Entry("names", "names", "NamesAnalysis"),
    Entry("releases", "releases", "ReleasesAnalysis"),
    Entry("changes", "changes", "ChangesAnalysis"),
    Entry("increase", "increase", "IncreaseAnalysis"),
    Entry("histogram", "histogram", "HistogramAnalysis"),
)
HELPERS: Final = (
    Entry("explain", "explain", "ExplainAnalysis"),
    Entry("profile", "profile", "ProfileAnalysis"),
    Entry("drivers-did", "funnel.did", "DidAnalysis"),
    Entry("drivers-seen", "funnel.drivers", "SeenAnalysis"),
    Entry("sessions-counted", "sessions.counted", "CountedAnalysis"),
    Entry("sessions-told", "sessions.told", "ToldAnalysis"),
    Entry("why", "funnel.why", "WhyAnalysis"),
)
"""Asked by other analyses, not by people."""


def find(name: str, known: Iterable[Known]) -> AnyAnalysis | None:
    """The analysis of that name."""
    for each in known:
        if each.name == name:
            return each.load() if isinstance(each, Entry) else each
    return None
