"""The service `agent`: developers let a coding agent work, turn by turn, with tools that fail."""

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from sample_data.world import DEVELOPERS, ROLLOUT, World, hexed, names, since_first

SESSIONS_PER_SECOND: Final = 0.036
# Exactly so many, for one developer: one user a hundred times, not a hundred users once.
TROUBLES: Final = 100
TROUBLED: Final = "ada"
TROUBLE: Final = "EACCES: permission denied"

_ROUND: Final = " llm_request tool_use"
TURNS: Final = {
    "user_prompt llm_request": 0.16,
    f"user_prompt{_ROUND} llm_request": 0.2,
    f"user_prompt{_ROUND * 2} llm_request": 0.22,
    f"user_prompt{_ROUND} tool_use tool_use{_ROUND} llm_request": 0.22,
    f"user_prompt{_ROUND * 3} tool_use{_ROUND * 2} llm_request": 0.2,
}
TURN_COUNTS: Final = {"1": 3, "2": 4, "3": 4, "5": 3, "8": 1}
MODELS: Final = {"sonnet-large": 58, "haiku-mini": 30, "opus-max": 12}
REGIONS: Final = {"eu-west-1": 52, "us-east-1": 38, "": 10}
# tool -> (weight, median milliseconds, spread)
TOOLS: Final = {
    "Read": (34, 6.0, 0.7),
    "Bash": (26, 480.0, 1.4),
    "Edit": (18, 11.0, 0.6),
    "Grep": (14, 38.0, 0.9),
    "Write": (5, 9.0, 0.6),
    "WebFetch": (3, 1_150.0, 0.7),
}
TOOL_FAULTS: Final = {
    "Read": "ENOENT: no such file or directory",
    "Bash": "exit code 1",
    "Edit": "old_string was not found in the file",
    "Grep": "regex parse error: unclosed group",
    "Write": "ENOENT: no such file or directory",
    "WebFetch": "timed out after 30 s",
}
# model -> (median milliseconds, dollars per million tokens in, out)
MODEL_FACTS: Final = {
    "sonnet-large": (2_300.0, 3.0, 15.0),
    "haiku-mini": (900.0, 0.8, 4.0),
    "opus-max": (4_100.0, 15.0, 75.0),
}
_TOOLS: Final = pl.DataFrame(
    [(tool, median, spread) for tool, (_, median, spread) in TOOLS.items()],
    schema=["tool", "tool_ms", "tool_spread"],
    orient="row",
)
_MODELS: Final = pl.DataFrame(
    [(model, *facts) for model, facts in MODEL_FACTS.items()],
    schema=["model", "model_ms", "dollars_in", "dollars_out"],
    orient="row",
)
PROJECTS: Final = {"checkout-api": 5, "website": 4, "data-pipeline": 3, "мобильный-клиент": 1}
# One model in one region answers slowly, from shortly before now.
SLOW_FROM: Final = timedelta(minutes=-8)
SLOW_UNTIL: Final = timedelta(minutes=14)
SLOW_FACTOR: Final = 2.4


def agent_events(world: World, start: datetime, end: datetime) -> pl.DataFrame:
    """All events of the sessions that begin in [start, end); they end some minutes later."""
    told = SESSIONS_PER_SECOND / world.thinned.get("agent", 1)
    begun = world.arrivals("agent", start, end, told)
    return _described(world, _timed(world, _turned(world, begun)))


def trouble_events(world: World) -> pl.DataFrame:
    """What follows the demo's rollout: a hundred times the same error, for one developer."""
    draw = world.chance
    began = world.now + ROLLOUT.after + timedelta(seconds=12)
    tries = pl.select(row=pl.int_range(TROUBLES)).select(
        time_us=round(began.timestamp() * 1e6)
        + (draw.lognormal("try", 1.1, 0.5) * 1e6).cast(pl.Int64).cum_sum(),
        user_id=pl.lit(TROUBLED),
        session_id=pl.lit("a-5e1f0c93aa"),
        service_name=pl.lit("agent"),
        service_version=pl.lit(ROLLOUT.version),
        project=pl.lit("checkout-api"),
        tool=pl.lit("Bash"),
    )
    used = tries.with_columns(
        time_us=pl.col("time_us") - 300_000,
        event_type=pl.lit("span"),
        event_name=pl.lit("tool_use"),
        component=pl.lit("tools"),
        duration_ms=draw.lognormal("tried", 31.0, 0.5).round_sig_figs(3),
        success=pl.lit(value=False),
    )
    failed = tries.with_columns(
        event_type=pl.lit("error"),
        event_name=pl.lit("tool_error"),
        component=pl.lit("sandbox"),
        severity=pl.lit("error"),
        message=pl.lit(TROUBLE),
        path=pl.lit("/var/lib/agent/cache.db"),
    )
    return pl.concat([used, failed], how="diagonal")


def _turned(world: World, begun: pl.DataFrame) -> pl.DataFrame:
    """One row an event, in order: a start, some turns, an end."""
    draw = world.chance
    who = draw.skewed("developer", DEVELOPERS, 1.7)
    sessions = begun.with_columns(
        session_id=pl.lit("a-") + hexed(draw.integer("agent session"), 10),
        user_id=names(who),
        project=draw.pick("project", PROJECTS),
        region=draw.pick("region", REGIONS),
        model=draw.pick("model", MODELS),
        service_version=world.version("agent", pl.col("started"), draw.uniform("agent turn")),
        turns=draw.pick("turns", TURN_COUNTS).cast(pl.Int64),
    )
    turns = sessions.with_columns(turn=pl.int_ranges(0, pl.col("turns"))).explode("turn")
    work = turns.with_columns(event_name=draw.pick("turn", TURNS))
    first, last = pl.col("turn") == 0, pl.col("turn") == pl.col("turns") - 1
    whole = pl.concat_str(
        pl.when(first).then(pl.lit("session_start ")).otherwise(pl.lit("")),
        pl.col("event_name").str.replace_all("tool_use", "tool_use tool_error"),
        pl.when(last).then(pl.lit(" session_end")).otherwise(pl.lit("")),
    )
    events = work.with_columns(event_name=whole.str.split(" ")).explode("event_name")
    fails = draw.happens("tool fails", 0.025)
    return events.filter((pl.col("event_name") != "tool_error") | fails).with_columns(
        place=pl.when(pl.col("event_name") == "session_start").then(0).otherwise(1)
    )


def _timed(world: World, events: pl.DataFrame) -> pl.DataFrame:
    """Tools, models, lengths, and the times that follow from them: one thing after another."""
    draw, name = world.chance, pl.col("event_name")
    uses = draw.pick("tool", {tool: weight for tool, (weight, *_) in TOOLS.items()})
    chosen = events.with_columns(
        tool=pl.when(name == "tool_use").then(uses),
        model=pl.when(name == "llm_request").then(pl.col("model")),
    ).with_columns(
        tool=pl.when(name == "tool_error").then(pl.col("tool").shift(1)).otherwise(pl.col("tool"))
    )
    since = world.since_now(pl.col("started"))
    slow = (
        (pl.col("model") == "sonnet-large")
        & (pl.col("region") == "eu-west-1")
        & since.is_between(SLOW_FROM.total_seconds(), SLOW_UNTIL.total_seconds())
    ).fill_null(value=False)
    answer_ms = pl.col("model_ms") * pl.when(slow).then(SLOW_FACTOR).otherwise(1.0)
    length = (
        pl.when(name == "tool_use")
        .then(draw.lognormal("tool length", pl.col("tool_ms"), pl.col("tool_spread")))
        .when(name == "llm_request")
        .then(draw.lognormal("answer", answer_ms, 0.62))
    )
    known = chosen.join(_TOOLS, on="tool", how="left", maintain_order="left")
    known = known.join(_MODELS, on="model", how="left", maintain_order="left")
    timed = known.with_columns(duration_ms=length.round_sig_figs(4))
    typing = draw.lognormal("typing", 21_000.0, 0.8).clip(1_500, 400_000)
    pause = pl.when((name == "user_prompt") & (pl.col("turn") > 0)).then(typing).otherwise(60.0)
    before = pause + pl.col("duration_ms").shift(1).fill_null(0)
    passed = since_first(before, "place")
    return timed.with_columns(time_us=pl.col("started") + (passed * 1000).cast(pl.Int64))


def _described(world: World, events: pl.DataFrame) -> pl.DataFrame:
    """Types, tokens, cost, messages."""
    draw, name = world.chance, pl.col("event_name")
    asked = name == "llm_request"
    tokens_in = draw.lognormal("tokens in", 9_000 * (1 + pl.col("turn")), 0.5).cast(pl.Int64)
    tokens_out = draw.lognormal("tokens out", 380.0, 0.9).cast(pl.Int64)
    cost = (tokens_in * pl.col("dollars_in") + tokens_out * pl.col("dollars_out")) / 1e6
    overloaded = asked & draw.happens("overloaded", 0.004)
    failed = name == "tool_error"
    fails_next = (name.shift(-1) == "tool_error").fill_null(value=False)
    types = {
        **dict.fromkeys(("llm_request", "tool_use"), "span"),
        **{kind: kind for kind in ("session_start", "session_end")},
        "tool_error": "error",
        "user_prompt": "behavioral",
    }
    components = {"llm_request": "model", "tool_use": "tools", "tool_error": "tools"}
    described = events.with_columns(
        event_type=name.replace_strict(types),
        component=name.replace_strict(components, default="session"),
        severity=pl.when(failed | overloaded).then(pl.lit("error")),
        message=pl.when(overloaded)
        .then(pl.lit("overloaded: try again later"))
        .when(failed)
        .then(pl.col("tool").replace_strict(TOOL_FAULTS, default=None)),
        success=pl.when(name == "tool_use").then(~fails_next),
        input_tokens=pl.when(asked).then(tokens_in),
        output_tokens=pl.when(asked & ~overloaded).then(tokens_out),
        cost_usd=pl.when(asked).then(cost.round(5)),
        prompt_chars=pl.when(name == "user_prompt").then(
            draw.lognormal("prompt", 140.0, 0.9).cast(pl.Int64)
        ),
        service_name=pl.lit("agent"),
    )
    return described.drop(
        *("started", "place", "turn", "turns", "tool_ms", "tool_spread"),
        *("model_ms", "dollars_in", "dollars_out"),
    )
