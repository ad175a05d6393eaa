"""The made-up world of the sample: who there is, when they come, and what went wrong that day.

All instants hang on `World.now`, so that the same day can end whenever it is asked to.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from sample_data.chance import Chance

MICROSECOND: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)

_FIRST: Final = (
    "ada zoë søren linus grace 李娜 josé anna mehmet yuki amélie ravi björn chloë omar ines "
    "łukasz maya noah Ольга tomás fatima kofi elif hiro léa pedro nina ivan sofía emil aisha "
    "jan marta დავით hana leo mia finn lucía max eva tariq rosa otto vera samir julia paul aino"
)
_LAST: Final = (
    "lovelace berg nakamura garcía öztürk smith novák kim rossi silva müller dubois chen ivanova "
    "okafor larsen popescu haddad kowalski fernández nguyen papadopoulos andersson o'neil weiss "
    "costa horvat yılmaz mbeki sato lindqvist moreau patel schäfer ricci jensen petrov ramos "
    "kaya torres walsh fischer duarte eriksen bianchi aydın murphy suzuki vidal krüger"
)
FIRST_NAMES: Final = tuple(_FIRST.split())
LAST_NAMES: Final = tuple(_LAST.split())
SHOPPERS_AN_HOUR: Final = 4_000
"""So many come for the first time."""
RETURN_HOURS: Final = 36
"""Nobody comes back after more."""
# Of how many hours ago those who come back are: few of very long ago (Lomax's distribution).
_RETURN_SHAPE: Final = 0.3
# Who comes often and who seldom: in each group of so many, the first come by far most.
GROUP: Final = 10
DEVELOPERS: Final = 120


@dataclass(frozen=True, slots=True)
class Deploy:
    """A version of a service that takes over, session by session, from `after` (since now)."""

    service: str
    version: str
    commit: str
    after: timedelta
    event: str = "deploy_finished"
    rollout: timedelta = timedelta(minutes=6)


BAD_VERSION: Final = "2.3.1"
# Comes shortly before now; its caches are cold for some minutes.
COLD_VERSION: Final = "2.4.0"
COLD_AT: Final = timedelta(minutes=-7)
COLD_FOR: Final = timedelta(minutes=2)
HISTORY: Final = (
    Deploy("shop", "2.3.0", "9f31c07", -48 * HOUR),
    Deploy("shop", BAD_VERSION, "c4e8a12", -9 * HOUR),
    Deploy("shop", "2.3.0", "9f31c07", -7 * HOUR, "deploy_rolled_back", timedelta(minutes=2)),
    Deploy("shop", "2.3.2", "51d0be9", -3 * HOUR),
    Deploy("shop", COLD_VERSION, "0ac71de", timedelta(minutes=-11), rollout=timedelta(minutes=3)),
    Deploy("agent", "1.8.0", "77aa03f", -40 * HOUR),
    Deploy("agent", "1.8.1", "e02b9d4", -14 * HOUR),
)
# What the demo shows as it happens.
ROLLOUT: Final = Deploy(
    "agent", "1.9.0", "b7c66f1", timedelta(minutes=1), rollout=timedelta(seconds=45)
)


@dataclass(frozen=True, slots=True)
class World:
    """One seed, one `now`, and how dense it is."""

    now: datetime
    chance: Chance
    thinned: Mapping[str, int] = field(default_factory=dict)
    """Of this many visits or sessions to a service, one is told; else all are: about a hundred
    events a second at `now`.
    """
    live: bool = False
    """Whether the demo's rollout, and the trouble it brings, follow."""

    @property
    def deploys(self) -> tuple[Deploy, ...]:
        return (*HISTORY, ROLLOUT) if self.live else HISTORY

    @property
    def now_us(self) -> int:
        return round(self.now.timestamp() * 1e6)

    def since_now(self, time_us: pl.Expr) -> pl.Expr:
        """Seconds after `now`, negative before."""
        return (time_us - self.now_us) / 1e6

    def arrivals(
        self, service: str, start: datetime, end: datetime, per_second: float
    ) -> pl.DataFrame:
        """Instants `started` (Unix microseconds, ascending) in [start, end), busy times busier."""
        seconds = (end - start).total_seconds()
        candidates = round(seconds * per_second * RHYTHM_MAX)
        first_us = round(start.timestamp() * 1e6)
        placed = pl.select(row=pl.int_range(candidates)).select(
            started=first_us + (self.chance.uniform(f"{service} at") * seconds * 1e6).cast(pl.Int64)
        )
        busy = rhythm(self.since_now(pl.col("started"))) / RHYTHM_MAX
        return placed.filter(self.chance.happens(f"{service} comes", busy)).sort("started")

    def shoppers(self, time_us: pl.Expr) -> pl.Expr:
        """Who comes at an instant, by number, the newest the largest: somebody new, or somebody who
        was new some hours ago; the longer ago, the less often they come.
        """
        farthest: float = (1 + RETURN_HOURS) ** -_RETURN_SHAPE
        rest = 1 - self.chance.uniform("came back") * (1 - farthest)
        hours = rest ** (-1 / _RETURN_SHAPE) - 1
        began = self.since_now(time_us) / 3600 - hours + 24 + RETURN_HOURS
        group = (began * SHOPPERS_AN_HOUR / GROUP).floor().cast(pl.Int64)
        return group * GROUP + self.chance.skewed("how often", GROUP)

    def told(self, shopper: pl.Expr) -> pl.Expr:
        """Whether a shopper's visits are told: all of them, or none."""
        return shopper // GROUP % self.thinned.get("shop", 1) == 0

    def coldness(self, time_us: pl.Expr, version: pl.Expr) -> pl.Expr:
        """0 to 1: how cold the caches of a version are that has just come."""
        away = (self.since_now(time_us) - COLD_AT.total_seconds()) / COLD_FOR.total_seconds()
        is_new = (version == COLD_VERSION).fill_null(value=False)
        return pl.when(is_new).then((-(away**2)).exp()).otherwise(0.0)

    def version(self, service: str, time_us: pl.Expr, place: pl.Expr) -> pl.Expr:
        """The version that serves a session; `place` in [0, 1) is its turn in a rollout."""
        since = self.since_now(time_us)
        version = pl.lit(None, pl.String)
        for deploy in (deploy for deploy in self.deploys if deploy.service == service):
            reached = deploy.after.total_seconds() + place * deploy.rollout.total_seconds()
            version = pl.when(since >= reached).then(pl.lit(deploy.version)).otherwise(version)
        return version

    def version_of(self, service: pl.Expr, time_us: pl.Expr) -> pl.Expr:
        """The version that most of a service runs, for either service."""
        half = pl.lit(0.5)
        shop, agent = (self.version(name, time_us, half) for name in ("shop", "agent"))
        return pl.when(service == "shop").then(shop).otherwise(agent)

    def deploy_events(self, start: datetime, end: datetime) -> pl.DataFrame:
        """One event for each deploy in the span, as a pipeline reports it."""
        rows = [
            {
                "time_us": round((self.now + deploy.after).timestamp() * 1e6),
                "event_type": "log",
                "event_name": deploy.event,
                "service_name": deploy.service,
                "service_version": deploy.version,
                "service_commit": deploy.commit,
                "severity": "warning" if deploy.event == "deploy_rolled_back" else "info",
                "message": f"{deploy.service} {deploy.version} {deploy.event[7:].replace('_', ' ')}",
                "component": "pipeline",
            }
            for deploy in self.deploys
            if start <= self.now + deploy.after < end
        ]
        return pl.DataFrame(rows)


RHYTHM_MAX: Final = 2.1


def rhythm(seconds: pl.Expr) -> pl.Expr:
    """How busy it is, as a factor: a day with its peak six hours before now, and waves of minutes;
    about 1 at now.
    """
    day = 1 + 0.45 * ((seconds / 3600 + 6) / 24 * 2 * math.pi).cos()
    waves = (
        1
        + 0.24 * (seconds / 331 * 2 * math.pi).sin()
        + 0.12 * (seconds / 127 * 2 * math.pi + 1).sin()
        + 0.08 * (seconds / 1741 * 2 * math.pi).cos()
    )
    return day * waves


def since_first(pauses: pl.Expr, place: str) -> pl.Expr:
    """The sum of pauses since each row's last `place` 0. (Not `over`: there, chance would draw
    anew in each group, the same for all.)
    """
    total = pauses.cum_sum()
    return total - pl.when(pl.col(place) == 0).then(total).forward_fill()


# The first go by their first name alone.
_NAMES: Final = pl.Series(
    [*FIRST_NAMES, *(f"{first}.{last}" for last in LAST_NAMES for first in FIRST_NAMES)]
)


def names(index: pl.Expr) -> pl.Expr:
    """The user id of a number: namesakes beyond the first bear one."""
    index = index.cast(pl.Int64)
    name, again = pl.lit(_NAMES).gather(index % _NAMES.len()), index // _NAMES.len()
    return name + pl.when(again > 0).then(again.cast(pl.String)).otherwise(pl.lit(""))


_HEX4: Final = pl.Series([f"{number:04x}" for number in range(2**16)])


def hexed(number: pl.Expr, digits: int) -> pl.Expr:
    """The lowest bits of a 64-bit integer as that many hexadecimal digits."""
    pieces = [hex4(number // 2 ** (4 * place) % 2**16) for place in range(0, digits, 4)]
    text = pl.concat_str(pieces[::-1])
    return text if digits % 4 == 0 else text.str.tail(digits)


def hex4(number: pl.Expr) -> pl.Expr:
    """An integer below 65,536 as four hexadecimal digits."""
    return pl.lit(_HEX4).gather(number)
