"""The service `shop`: visitors walk through pages towards a purchase, and each step costs the
servers and the browser some work.
"""

from datetime import datetime
from typing import Final

import polars as pl

from sample_data.world import BAD_VERSION, SHOPPERS, World, hex16, names

SESSIONS_PER_SECOND: Final = 3.7

# What a visit consists of, and how often. Few buy.
VISITS: Final = {
    "page_view": 0.22,
    "page_view page_view": 0.21,
    "page_view search page_view": 0.14,
    "page_view search page_view page_view search page_view": 0.13,
    "page_view page_view page_view page_view page_view": 0.09,
    "page_view search page_view add_to_cart page_view": 0.08,
    "page_view page_view signup page_view": 0.035,
    "page_view search page_view add_to_cart signup page_view": 0.025,
    "page_view page_view add_to_cart page_view checkout": 0.025,
    "page_view add_to_cart checkout purchase": 0.02,
    "page_view search page_view add_to_cart add_to_cart checkout purchase": 0.015,
    "page_view page_view add_to_cart signup checkout purchase page_view": 0.01,
}
# step -> (event, milliseconds after the step, how often)
WORK: Final = {
    "page_view": (
        ("page_view", 0, 1.0),
        ("http.server.request", 0, 1.0),
        ("cache_miss", 2, 0.22),
        ("db.query", 3, 0.8),
        ("db.query", 9, 0.25),
        ("render_frame", 40, 1.0),
        ("render_frame", 57, 0.95),
        ("render_frame", 73, 0.85),
        ("render_frame", 90, 0.7),
        ("render_frame", 107, 0.5),
    ),
    "search": (
        ("search", 0, 1.0),
        ("http.server.request", 0, 1.0),
        ("db.query", 4, 1.0),
        ("render_frame", 80, 0.9),
    ),
    "add_to_cart": (
        ("add_to_cart", 0, 1.0),
        ("http.server.request", 1, 1.0),
        ("db.query", 5, 0.7),
    ),
    "signup": (("signup", 0, 1.0), ("http.server.request", 1, 1.0), ("db.query", 8, 1.0)),
    "checkout": (
        ("checkout", 0, 1.0),
        ("http.server.request", 1, 1.0),
        ("db.query", 6, 1.0),
        ("db.query", 14, 0.6),
    ),
    "purchase": (
        ("purchase", 0, 1.0),
        ("http.server.request", 1, 1.0),
        ("db.query", 7, 1.0),
        ("db.query", 19, 1.0),
    ),
    "session_start": (("session_start", 0, 1.0),),
    "session_end": (("session_end", 0, 1.0),),
}
# event -> (type, component, median milliseconds, spread, share of errors)
EVENTS: Final = {
    "page_view": ("behavioral", "web", 31.0, 0.66, 0.0),
    "search": ("behavioral", "search", 64.0, 0.8, 0.004),
    "add_to_cart": ("behavioral", "cart", 41.0, 0.6, 0.003),
    "signup": ("behavioral", "accounts", 118.0, 0.56, 0.006),
    "checkout": ("behavioral", "payments", 220.0, 0.55, 0.012),
    "purchase": ("behavioral", "payments", 310.0, 0.63, 0.009),
    "http.server.request": ("span", "api", 22.0, 1.1, 0.006),
    "db.query": ("span", "db", 2.1, 1.25, 0.001),
    "cache_miss": ("log", "session_store", 0.8, 1.0, 0.0),
    "render_frame": ("performance", "web", 7.4, 0.4, 0.0),
    "session_start": ("session_start", "web", None, 0.0, 0.0),
    "session_end": ("session_end", "web", None, 0.0, 0.0),
}
FAULTS: Final = {
    "upstream timed out after 2000 ms": 5,
    "connection reset by peer": 2,
    "HTTP 503: no healthy backend for payments": 1,
    "could not serialize access due to concurrent update": 1,
}
BAD_FAULTS: Final = {
    "deadlock detected on carts": 7,
    "upstream timed out after 2000 ms": 3,
}
TABLES: Final = {
    "page_view": "products",
    "search": "products",
    "add_to_cart": "carts",
    "signup": "accounts",
    "checkout": "carts",
    "purchase": "orders",
}
ROUTES: Final = {
    "page_view": "/products/{id}",
    "search": "/search",
    "add_to_cart": "/cart",
    "signup": "/signup",
    "checkout": "/checkout",
    "purchase": "/orders",
}
BROWSERS: Final = {"Chrome": 58, "Safari": 22, "Firefox": 11, "Edge": 7, "": 2}
COUNTRIES: Final = {"DE": 24, "US": 22, "FR": 12, "GB": 11, "TR": 8, "JP": 7, "BR": 6, "": 10}
QUERIES: Final = {
    "wool socks": 9,
    "lamp": 7,
    "grüner tee": 5,
    "ノート": 4,
    "🎄 lights": 4,
    "café": 3,
    "desk 120x60": 3,
    'mug "big"': 2,
}


def shop_events(world: World, start: datetime, end: datetime) -> pl.DataFrame:
    """All events of the visits that begin in [start, end); they end some minutes later."""
    visits = world.arrivals("visit", start, end, SESSIONS_PER_SECOND)
    return _described(world, _worked(world, _walked(world, _met(world, visits))))


def _met(world: World, visits: pl.DataFrame) -> pl.DataFrame:
    """Who visits, with what, served by which version. A third has no account."""
    draw = world.chance
    who = draw.skewed("shopper", SHOPPERS)
    session = draw.integer("shop session")
    return visits.with_columns(
        session_id=pl.lit("s-") + hex16(session).str.head(10),
        install_id=pl.lit("dev-") + hex16(who.cast(pl.UInt64) * 0x9E3779B97F4A7C15).str.tail(8),
        user_id=pl.when(draw.happens("known", 0.68)).then(names(who)),
        plan=pl.when(who % 7 == 0).then(pl.lit("pro")).otherwise(pl.lit("free")),
        browser=draw.pick("browser", BROWSERS),
        country=draw.pick("country", COUNTRIES),
        service_version=world.version("shop", pl.col("started"), draw.uniform("shop turn")),
        step=draw.pick("visit", VISITS),
        offline=draw.happens("offline", 0.012),
    )


def _walked(world: World, visits: pl.DataFrame) -> pl.DataFrame:
    """One row a step, at its time: `time_us`."""
    journey = pl.lit("session_start ") + pl.col("step") + " session_end"
    steps = visits.with_columns(step=journey.str.split(" ")).explode("step")
    pause = world.chance.lognormal("reading", 14.0, 0.9).clip(0.4, 400)
    begins = (pl.col("step") == "session_start") | (
        (pl.col("step") == "page_view") & (pl.col("step").shift(1) == "session_start")
    )
    passed = pl.when(begins).then(0.0).otherwise(pause).cum_sum().over("session_id")
    return steps.with_columns(
        # Browsers tell milliseconds; so do many clocks, hence ties.
        time_us=(pl.col("started") + (passed * 1e6).cast(pl.Int64)) // 1000 * 1000,
        trace=world.chance.integer("trace"),
    )


def _worked(world: World, steps: pl.DataFrame) -> pl.DataFrame:
    """One row an event: the step itself and the work it caused."""
    work = pl.DataFrame(
        [(step, *event) for step, events in WORK.items() for event in events],
        schema=["step", "event_name", "offset_ms", "chance"],
        orient="row",
    )
    facts = pl.DataFrame(
        [(name, *rest) for name, rest in EVENTS.items()],
        schema=["event_name", "event_type", "component", "median", "spread", "error_share"],
        orient="row",
    )
    caused = steps.join(work, on="step", maintain_order="left").filter(
        world.chance.happens("caused", pl.col("chance"))
    )
    jitter = (world.chance.uniform("jitter") * 900).cast(pl.Int64)
    delayed = pl.when(pl.col("offset_ms") > 0).then(pl.col("offset_ms") * 1000 + jitter)
    return caused.join(facts, on="event_name", maintain_order="left").with_columns(
        time_us=pl.col("time_us") + delayed.otherwise(0)
    )


def _described(world: World, events: pl.DataFrame) -> pl.DataFrame:
    """Lengths, faults and attributes."""
    draw = world.chance
    name, step = pl.col("event_name"), pl.col("step")
    bad = (pl.col("service_version") == BAD_VERSION).fill_null(value=False)
    heavy = step.replace_strict({"search": 1.9, "checkout": 2.8, "purchase": 3.4}, default=1.0)
    server = name.is_in(["http.server.request", "db.query"])
    load = 1 + 0.25 * (draw.uniform("load") - 0.5)
    slow = pl.when(bad & server).then(2.7).when(bad & (name == "page_view")).then(1.5).otherwise(1)
    median = pl.col("median") * pl.when(server).then(heavy).otherwise(1.0) * slow * load
    share = (
        pl.when(bad & (name == "http.server.request")).then(0.09).otherwise(pl.col("error_share"))
    )
    timed = events.with_columns(
        duration_ms=draw.lognormal("length", median, pl.col("spread")).round_sig_figs(3),
        failed=draw.happens("fails", share),
        bad=bad,
    )
    return timed.with_columns(**_spans(world), **_words(world), **_wares(world)).select(
        *("time_us", "event_type", "event_name", "component", "session_id", "install_id"),
        *("user_id", "service_version", "plan", "browser", "country", "offline"),
        *("duration_ms", "severity", "message", "trace_id", "span_id", "parent_span_id"),
        *("http.route", "http.status_code", "db.table", "query", "product", "amount", "currency"),
        service_name=pl.lit("shop"),
    )


def _spans(world: World) -> dict[str, pl.Expr]:
    """Trace ids: a step is a trace, its request the parent of its queries."""
    name = pl.col("event_name")
    request, query = name == "http.server.request", name == "db.query"
    parent = hex16(pl.col("trace") ^ pl.lit(0x5DEECE66D, pl.UInt64))
    low = hex16(pl.col("trace") * pl.lit(0xD1342543DE82EF95, pl.UInt64))
    return {
        "trace_id": pl.when(request | query).then(hex16(pl.col("trace")) + low),
        "span_id": pl.when(request)
        .then(parent)
        .when(query)
        .then(hex16(world.chance.integer("query span"))),
        "parent_span_id": pl.when(query).then(parent),
        "http.route": pl.when(request).then(pl.col("step").replace_strict(ROUTES, default=None)),
        "http.status_code": pl.when(request & pl.col("failed"))
        .then(pl.when(pl.col("bad")).then(500).otherwise(503))
        .when(request)
        .then(200),
        "db.table": pl.when(query).then(pl.col("step").replace_strict(TABLES, default=None)),
    }


def _words(world: World) -> dict[str, pl.Expr]:
    """Severities and messages: errors, slow queries and frames, late refills."""
    name, length = pl.col("event_name"), pl.col("duration_ms")
    slow = {
        "db.query": (length > 60) & ~pl.col("bad"),
        "cache_miss": length > 2.6,
        "render_frame": length > 16.7,
    }
    late = pl.any_horizontal((name == which) & rule for which, rule in slow.items())
    took = length.round(0).cast(pl.Int64).cast(pl.String) + " ms"
    fault = (
        pl.when(pl.col("bad"))
        .then(world.chance.pick("bad fault", BAD_FAULTS))
        .otherwise(world.chance.pick("fault", FAULTS))
    )
    return {
        "severity": pl.when(pl.col("failed"))
        .then(pl.lit("error"))
        .when(late)
        .then(pl.lit("warning"))
        .when(name == "cache_miss")
        .then(pl.lit("debug")),
        "message": pl.when(pl.col("failed"))
        .then(fault)
        .when((name == "db.query") & late)
        .then(pl.lit("slow query: ") + took)
        .when((name == "cache_miss") & late)
        .then(pl.lit("session refilled late"))
        .when((name == "render_frame") & late)
        .then(pl.lit("frame dropped")),
    }


def _wares(world: World) -> dict[str, pl.Expr]:
    """What was looked for and bought."""
    draw, name = world.chance, pl.col("event_name")
    price = draw.lognormal("price", 38.0, 0.8).round(2)
    chosen = name.is_in(["page_view", "add_to_cart", "purchase"])
    product = pl.lit("P") + (1000 + draw.skewed("product", 400)).cast(pl.String)
    return {
        "query": pl.when(name == "search").then(draw.pick("query", QUERIES)),
        "product": pl.when(chosen & draw.happens("has product", 0.8)).then(product),
        "amount": pl.when(name.is_in(["checkout", "purchase"])).then(price),
        "currency": pl.when(name == "purchase").then(draw.pick("currency", {"EUR": 6, "USD": 3})),
    }
