"""A store that makes up its answers: the same ones for the same question, at once or held back."""

import math
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from store.analytics.shapes import Answer, Row, Series, Table, Timeline
from store.tally import Receipt, Tally
from store.timespan import TimeSpan, floor

NOW = datetime(2026, 11, 22, 14, 3, 29, tzinfo=UTC)
NAMES = {
    "render_frame": (221_000, 0.0, 7.4, 14, 33),
    "http.server.request": (96_531, 0.007, 22, 180, 460),
    "page_view": (71_402, 0.0, 31, 92, 164),
    "db.query": (58_617, 0.001, 2.1, 18, 77),
    "tool_use": (41_340, 0.003, 12, 85, 210),
    "llm_request": (18_402, 0.001, 1800, 6200, 12_000),
    "token_usage": (18_361, 0.0, None, None, None),
    "search": (12_911, 0.004, 64, 240, 690),
    "cache_miss": (9_151, 0.0, 0.8, 4.1, 9.7),
    "session_start": (3_921, 0.0, None, None, None),
    "session_end": (3_711, 0.0, None, None, None),
    "signup": (1_894, 0.006, 118, 299, 720),
    "tool_error": (948, 1.0, 3.2, 41, 97),
    "checkout": (810, 0.012, 220, 540, 1300),
    "purchase": (439, 0.009, 310, 880, 1900),
    "deploy_finished": (3, 0.0, None, None, None),
}


@dataclass
class FakePart:
    rows: int
    size_bytes: int


@dataclass
class FakeSnapshot:
    parts: list[FakePart]
    skipped: tuple = ()
    quarantined: tuple = ()


@dataclass
class FakeStore:
    """`events` is what it says it holds; `gate`, when cleared, holds every answer back."""

    events: int = 1_300_000
    empty_of: tuple[str, ...] = ()
    """What it does not hold: `users`, `sessions`, `durations`, `severities`."""
    unreadable: int = 0
    """Parts that each answer lacks."""
    names: dict = field(default_factory=lambda: dict(NAMES))
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list = field(default_factory=list)
    now: datetime = NOW

    def __post_init__(self):
        self.gate.set()

    @property
    def analyses(self):
        from store.analytics.registry import ANALYSES

        return ANALYSES

    def generation(self):
        return f"g{self.events}"

    def snapshot(self):
        return FakeSnapshot([FakePart(self.events, self.events * 20)])

    def span(self):
        return TimeSpan(self.now - timedelta(days=1), self.now) if self.events else None

    def out_of_time(self):
        return 0

    def tally(self):
        receipt = Receipt(stored=self.events, rejected=3, duplicate=12)
        return Tally.of(receipt, intake="native", reasons={"rejected.bad_json": 3})

    def column_types(self):
        import polars as pl

        names = ("event_name", "service_name", "service_version", "severity", "user_id", "model")
        return dict.fromkeys(names, pl.String())

    def run(self, query, *, cancelled=lambda: False):
        return self.run_all([query], cancelled=cancelled)[0]

    def run_all(self, queries, *, cancelled=lambda: False):
        self.asked.append(list(queries))
        while not self.gate.wait(0.01):
            if cancelled():
                raise RuntimeError("nobody waits for it")
        return [self._answer(query) for query in queries]

    def _answer(self, query):
        span = query.span or self.span()
        make = getattr(self, f"_{query.analysis}")
        result, previous = make(query, span), None
        if query.compare:
            previous = make(query, span.previous())
        lost = {"unreadable_parts": self.unreadable}
        return Answer(query.analysis, query, span.end, span, result, previous, **lost)

    def _trends(self, query, span):
        width = query.interval or timedelta(seconds=15)
        starts = []
        start = floor(span.start, width)
        while start < span.end:
            starts.append(start)
            start += width
        if query.by:
            series = [self._class_series(query, name, starts, span) for name in self._keys(query)]
        else:
            series = [self._measure(measure, starts, span) for measure in query.measures]
        if starts and span.end == query.span.end:
            # As much of the last point as has passed of it.
            passed = (span.end - starts[-1]) / width
            for one in series:
                if one.values[-1] is not None and one.measure == "count":
                    one.values[-1] = int(one.values[-1] * passed)
        return Timeline(width.total_seconds(), starts, series)

    def _keys(self, query):
        if query.by == ("severity_class",):
            return [""] if "severities" in self.empty_of else ["error", "warning", "info"]
        return ["api", "web", "agent"]

    def _class_series(self, query, name, starts, span):
        scale = {"error": 0.09, "warning": 0.04, "info": 0.87}.get(name, 0.4)
        values = [int(scale * w * 18) for w in self._waves(starts, bump=name == "error")]
        total = int(sum(values) * 70)
        return Series({query.by[0]: name}, values, total=total)

    def _measure(self, measure, starts, span):
        previous = span.end < self.now - timedelta(seconds=30)
        name, _, _of = measure.partition(":")
        waves = list(self._waves(starts))
        if name == "count":
            return Series({}, [int(w * 18) for w in waves], measure, total=self._total(previous))
        if name in ("users", "sessions"):
            if name in self.empty_of:
                return Series({}, [0] * len(starts), measure, total=0)
            total = {"users": 3_691, "sessions": 208}[name]
            return Series({}, waves, measure, total=total - 30 * previous)
        if "durations" in self.empty_of:
            return Series({}, [None] * len(starts), measure, total=None)
        base = {"p50": 130, "p95": 260, "p99": 390}[name]
        bumped = [base + (w - 260) * {"p50": 0.2, "p95": 1, "p99": 2}[name] for w in waves]
        return Series({}, [max(10, b) for b in bumped], measure, total=170 + 5 * previous)

    def _total(self, previous):
        return int(self.events * 0.96) if previous else self.events

    def _waves(self, starts, *, bump=False):
        for start in starts:
            t = (start - datetime(2026, 11, 22, 14, tzinfo=UTC)).total_seconds() / 60
            wave = 260 + 60 * math.sin(t / 2.2) + 25 * math.sin(t * 1.7)
            near = math.exp(-(((t + 9) / 1.6) ** 2))
            yield max(20, wave * (0.35 + 2.4 * near) if bump else wave + 140 * near)

    def _names(self, query, span):
        rows = []
        for name, (count, share, p50, p95, p99) in self.names.items():
            bars = _bars(name)[: query.points]
            if name == "tool_error":
                bars = [1] * (query.points - 3) + [7] * 3
            rows.append(
                Row(
                    {query.by[0]: name},
                    {
                        "count": count,
                        "rate": count / span.length.total_seconds(),
                        "error_share": None if "severities" in self.empty_of else share,
                        "p50": None if "durations" in self.empty_of else p50,
                        "p95": None if "durations" in self.empty_of else p95,
                        "p99": None if "durations" in self.empty_of else p99,
                        "trend": bars,
                    },
                )
            )
        return Table((query.by[0],), rows)

    def _top(self, query, span):
        values = {"event_name": list(self.names), "service_name": ["api", "web"]}
        named = values.get(query.by[0], ["a", "b"])
        return Table(query.by, [Row({query.by[0]: v}, {"value": 9, "share": 0.1}) for v in named])

    def _releases(self, query, span):
        key = {"service_name": "api", "service_version": "2.4.0"}
        return Table(
            ("service_name",), [Row(key, {"first_seen": self.now - timedelta(minutes=12)})]
        )

    def _changes(self, query, span):
        def row(name, kind, factor, minutes, severity, trend, *attributes):
            named = [
                dict(zip(("attribute", "value", "share", "of"), a, strict=False))
                for a in attributes
            ]
            return Row(
                {"event_name": name},
                {
                    "kind": kind,
                    "factor": factor,
                    "since": self.now - timedelta(minutes=minutes),
                    "severity": severity,
                    "trend": trend,
                    "attributes": named,
                },
            )

        error = row(
            *("tool_error", "count", 9.1, 11, "error", [1, 1, 1, 3, 7, 7, 7, 7]),
            ("service_version", "2.4.0", 1.0),
            ("message", "EACCES: permission denied", 0.94),
            ("user_id", "ada", None, 3912),
        )
        slow = row(
            *("llm_request", "p95", 1.38, 9, "", ()),
            ("model", "sonnet-large", 0.71),
            ("region", "eu-west-1", 0.69),
        )
        new = row("deploy_finished", "new", None, 12, "info", (), ("service_version", "2.4.0", 1.0))
        fewer = row(
            *("cache_miss", "count", 0.88, 14, "", [7, 7, 7, 7, 6, 5, 5, 5]),
            ("component", "session_store", 0.83),
        )
        return Table(("event_name",), [error, slow, new, fewer])


def _bars(name):
    seed = sum(map(ord, name))
    return [3 + (seed * (i + 3) // 7) % 5 for i in range(20)]
