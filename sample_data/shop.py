"""The service `shop`: visitors walk through pages towards a purchase, and each step costs the
servers and the browser some work.
"""

from datetime import datetime
from typing import Final

import polars as pl

from sample_data.chance import mixed
from sample_data.shop_facts import (
    BAD_FAULTS,
    BROWSERS,
    COUNTRIES,
    EVENTS,
    FAULTS,
    QUERIES,
    ROUTES,
    SCRIPT_FAULTS,
    TABLES,
    VISITS,
    WORK,
)
from sample_data.world import BAD_VERSION, World, hexed, names, since_first

SESSIONS_PER_SECOND: Final = 4.1

_STEPS: Final = pl.DataFrame(
    [
        (visit, step)
        for visit in VISITS
        for step in ("session_start", *visit.split(), "session_end")
    ],
    schema=["visit", "step"],
    orient="row",
).with_columns(place=pl.int_range(pl.len()).over("visit"))
_WORK: Final = pl.DataFrame(
    [
        (step, name, offset_ms, chance, *EVENTS[name])
        for step, events in WORK.items()
        for name, offset_ms, chance in events
    ],
    schema=[
        *("step", "event_name", "offset_ms", "chance"),
        *("event_type", "component", "median", "spread", "error_share"),
    ],
    orient="row",
)


def shop_events(world: World, start: datetime, end: datetime) -> pl.DataFrame:
    """All events of the visits that begin in [start, end); they end some minutes later."""
    visits = world.arrivals("shop", start, end, SESSIONS_PER_SECOND)
    steps = _equipped(world, _walked(world, _met(world, visits)))
    return _described(world, _worked(world, steps))


def _met(world: World, visits: pl.DataFrame) -> pl.DataFrame:
    """Who visits, with what, served by which version. A third has no account."""
    draw = world.chance
    who = world.shoppers(pl.col("started"))
    told = visits.with_columns(who=who).filter(world.told(pl.col("who")))
    return told.with_columns(
        session_id=pl.lit("s-") + hexed(draw.integer("shop session"), 10),
        install_id=pl.lit("dev-") + hexed(mixed(pl.col("who").cast(pl.UInt64) + 1), 8),
        user_id=pl.when(draw.happens("known", 0.68)).then(names(pl.col("who"))),
        plan=pl.when(pl.col("who") % 7 == 0).then(pl.lit("pro")).otherwise(pl.lit("free")),
        browser=draw.pick("browser", BROWSERS),
        country=draw.pick("country", COUNTRIES),
        service_version=world.version("shop", pl.col("started"), draw.uniform("shop turn")),
        visit=draw.pick("visit", VISITS),
        offline=draw.happens("offline", 0.012),
    )


def _walked(world: World, visits: pl.DataFrame) -> pl.DataFrame:
    """One row a step, at its time: `time_us`."""
    steps = visits.join(_STEPS, on="visit", maintain_order="left_right")
    pause = world.chance.lognormal("reading", 14.0, 0.9).clip(0.4, 400)
    # The first page is what starts the session.
    passed = since_first(pl.when(pl.col("place") < 2).then(0.0).otherwise(pause), "place")
    return steps.with_columns(
        # Browsers tell milliseconds; so do many clocks, hence ties.
        time_us=(pl.col("started") + (passed * 1e6).cast(pl.Int64)) // 1000 * 1000,
    )


def _equipped(world: World, steps: pl.DataFrame) -> pl.DataFrame:
    """What each step is about, and its trace: its request is the parent of its queries."""
    draw, step = world.chance, pl.col("step")
    chosen = step.is_in(["page_view", "add_to_cart", "purchase"])
    product = pl.lit("P") + (1000 + draw.skewed("product", 400)).cast(pl.String)
    paid = step.is_in(["checkout", "purchase"])
    return steps.with_columns(
        query=pl.when(step == "search").then(draw.pick("query", QUERIES)),
        product=pl.when(chosen & draw.happens("has product", 0.8)).then(product),
        amount=pl.when(paid).then(draw.lognormal("price", 38.0, 0.8).round(2)),
        currency=pl.when(step == "purchase").then(draw.pick("currency", {"EUR": 6, "USD": 3})),
        trace=hexed(draw.integer("trace"), 16) + hexed(draw.integer("trace too"), 16),
        request=hexed(draw.integer("request span"), 16),
        route=step.replace_strict(ROUTES, default=None),
        table=step.replace_strict(TABLES, default=None),
        cold=world.coldness(pl.col("time_us"), pl.col("service_version")),
        heavy=step.replace_strict({"search": 1.9, "checkout": 2.8, "purchase": 3.4}, default=1.0),
    )


def _worked(world: World, steps: pl.DataFrame) -> pl.DataFrame:
    """One row an event: the step itself and the work it caused."""
    misses = (
        pl.when(pl.col("event_name") == "cache_miss").then(1 + 2.5 * pl.col("cold")).otherwise(1)
    )
    caused = steps.join(_WORK, on="step", maintain_order="left_right").filter(
        world.chance.happens("caused", pl.col("chance") * misses)
    )
    jitter = (world.chance.uniform("jitter") * 900).cast(pl.Int64)
    delayed = pl.when(pl.col("offset_ms") > 0).then(pl.col("offset_ms") * 1000 + jitter)
    return caused.with_columns(time_us=pl.col("time_us") + delayed.otherwise(0))


def _described(world: World, events: pl.DataFrame) -> pl.DataFrame:
    """Lengths, faults, and which attributes stand on which event."""
    draw, name = world.chance, pl.col("event_name")
    bad = (pl.col("service_version") == BAD_VERSION).fill_null(value=False)
    is_request, is_query = name == "http.server.request", name == "db.query"
    server = is_request | is_query
    slow = pl.when(bad & server).then(2.7).when(bad & (name == "page_view")).then(1.5).otherwise(1)
    cold = pl.when(server).then((1 + 1.7 * pl.col("cold")) * pl.col("heavy")).otherwise(1.0)
    median = pl.col("median") * cold * slow
    share = pl.when(bad & is_request).then(0.14).otherwise(pl.col("error_share"))
    timed = events.with_columns(
        duration_ms=draw.lognormal("length", median, pl.col("spread")).round_sig_figs(3),
        failed=draw.happens("fails", share),
        bad=bad,
    )
    itself = name == pl.col("step")
    return timed.with_columns(
        *(
            pl.when(itself).then(pl.col(each))
            for each in ("query", "product", "amount", "currency")
        ),
        **_words(world),
        service_name=pl.lit("shop"),
        trace_id=pl.when(server).then(pl.col("trace")),
        span_id=pl.when(is_request)
        .then(pl.col("request"))
        .when(is_query)
        .then(hexed(draw.integer("query span"), 16)),
        parent_span_id=pl.when(is_query).then(pl.col("request")),
        **{
            "http.route": pl.when(is_request).then(pl.col("route")),
            "http.status_code": pl.when(is_request & ~pl.col("failed"))
            .then(200)
            .when(is_request)
            .then(pl.when(pl.col("bad")).then(500).otherwise(503)),
            "db.table": pl.when(is_query).then(pl.col("table")),
        },
    ).drop(_ASIDE)


# Columns on the way that are no attributes.
_ASIDE: Final = (
    *("started", "who", "visit", "place", "step", "chance", "offset_ms", "median", "spread"),
    *("error_share", "failed", "bad", "cold", "heavy", "trace", "request", "route", "table"),
)


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
        pl.when(name == "exception")
        .then(world.chance.pick("script fault", SCRIPT_FAULTS))
        .when(pl.col("bad"))
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
