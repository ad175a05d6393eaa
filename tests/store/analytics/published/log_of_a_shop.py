"""A log as a shop has it: seeded, six hundred people over four weeks, in SQL as well."""

import math
import random
from datetime import UTC, datetime, timedelta

import duckdb

from store.testing import FrozenClock, events_of, store_of
from store.timespan import TimeSpan

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
WEEKS = 4
SPAN = TimeSpan(BEGIN, BEGIN + timedelta(weeks=WEEKS))
NEXT = {
    "open": ("look", "look", "search", "help"),
    "search": ("look", "look", "search", "open"),
    "look": ("look", "cart", "search", "help"),
    "cart": ("pay", "look", "cart", "help"),
    "pay": ("open", "look"),
    "help": ("look", "open"),
}


def rows(seed=7, people=600):
    """Visits at any hour, more of them in the first days; no two events of one person at once."""
    chance = random.Random(seed)
    found = []
    for number in range(people):
        who = f"user{number:03}"
        plan = chance.choices(["free", "pro", None], [6, 3, 1])[0]
        time = BEGIN + chance.random() * timedelta(weeks=WEEKS)
        taken = set()
        for _ in range(chance.choice([1, 1, 2, 3, 8])):
            name = "open"
            for _ in range(1 + int(chance.expovariate(1 / 5))):
                micros = (time - BEGIN) // timedelta(microseconds=1)
                if time >= SPAN.end or micros in taken:
                    break
                taken.add(micros)
                took = round(math.exp(chance.gauss(4, 1)), 3)
                found.append(
                    {
                        "event_time": time,
                        "event_name": name,
                        "user_id": who,
                        "plan": plan,
                        "duration_ms": took if name in ("look", "search", "pay") else None,
                    }
                )
                name = chance.choice(NEXT[name])
                # Half an hour sharp now and then, and whole minutes, as clocks have them.
                time += chance.choice(
                    [
                        timedelta(seconds=chance.randrange(1, 900)),
                        timedelta(minutes=chance.randrange(1, 12)),
                        timedelta(minutes=30),
                    ]
                )
            time += chance.expovariate(1 / 3) * timedelta(days=1) + timedelta(hours=1)
    chance.shuffle(found)
    return [{"event_id": f"e{at:06}", **row} for at, row in enumerate(found)]


def stored(root, told):
    """A store of many parts, in no order."""
    parts = [events_of(told[at::5]) for at in range(5)]
    return store_of(root, *parts, clock=FrozenClock(SPAN.end + timedelta(days=60)))


def in_sql(told):
    """A connection with the table `log`: who, name, ts, plan, took."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    frame = events_of(told).select("user_id", "event_name", "event_time", "plan", "duration_ms")
    table = frame.to_arrow()
    connection.register("given", table)
    connection.execute(
        "CREATE TABLE log AS SELECT user_id AS who, event_name AS name, "
        "event_time::TIMESTAMP AS ts, plan, duration_ms AS took FROM given"
    )
    connection.unregister("given")
    return connection
