"""The numbers of Health in words; pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from store.tally import FATES
from tui.formatting import clean, clock, count, length, moment, size
from tui.messages import StoreChanged
from tui.widgets.empty_state import curl_line
from tui.widgets.facts_panel import Fact, Facts, Heading

FILES_SHOWN_MAX: Final = 20
_FATE_ROLES = {"stored": "good", "rejected": "error", "dropped": "error"}


def tally_facts(tally: Mapping[str, Any]) -> Facts:
    """Every event has one fate; the sum is stated."""
    received = int(tally.get("received", 0))
    fates = {fate: int(tally.get(fate, 0)) for fate in FATES}
    facts: list[Fact | Heading] = [Fact("received", f"{received:,}", role="bright")]
    for fate, number in fates.items():
        role = _FATE_ROLES.get(fate, "text") if number else "dim"
        share = number / received if received else 0.0
        bar_role = role if role in ("good", "error") else "info"
        name = fate.replace("_", " ")
        facts.append(Fact(name, f"{number:,}", role=role, bar=share, bar_role=bar_role))
    return facts


def sum_note(tally: Mapping[str, Any]) -> str:
    """The sum over the fates, written out, and whether it is what was received."""
    received = int(tally.get("received", 0))
    numbers = [int(tally.get(fate, 0)) for fate in FATES]
    if sum(numbers) != received:
        return f"{received - sum(numbers):+,} not accounted for"
    return " + ".join(f"{number:,}" for number in numbers if number) + f" = {received:,}, exact"


def breakdown_facts(tally: Mapping[str, Any]) -> Facts:
    """By intake, then by reason."""
    intakes = dict(tally.get("intakes") or {})
    reasons = dict(tally.get("reasons") or {})
    total = max(1, sum(intakes.values()))
    facts: list[Fact | Heading] = [Heading("received by intake")]
    facts += [
        Fact(clean(name), f"{number:,}", bar=number / total) for name, number in _largest(intakes)
    ] or [Fact("nothing yet", role="dim")]
    facts += [Heading(""), Heading("not stored, or changed, by reason")]
    facts += [Fact(clean(name), f"{number:,}") for name, number in _largest(reasons)] or [
        Fact("nothing", role="dim")
    ]
    return facts


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def collector_facts(url: str | None, stats: Mapping[str, Any] | None) -> Facts:
    """Where it listens, what waits, how long a commit takes."""
    if url is None:
        return [
            Fact("no collector serves this store", role="warning"),
            Fact("start one: eventdeck collect", role="dim"),
        ]
    if stats is None:
        return [
            Fact("address", url),
            Fact("it does not answer", role="error"),
            Fact("start it again: eventdeck collect", role="dim"),
        ]
    return list(_collector(url, stats))


def _collector(url: str, stats: Mapping[str, Any]) -> Iterator[Fact | Heading]:
    queue, commits = stats.get("queue") or {}, stats.get("commits") or {}
    yield Fact("address", url)
    yield Fact("up for", length(timedelta(seconds=stats.get("uptime_seconds", 0))))
    yield Fact(
        "waiting now", f"{queue.get('events', 0):,}", f"of {queue.get('events_max', 0):,} events"
    )
    if waited := queue.get("oldest_seconds", 0):
        yield Fact("oldest waits for", f"{waited:.3f}", "s")
    yield Fact(
        "commits", f"{commits.get('count', 0):,}", f"with {commits.get('events', 0):,} events"
    )
    for name in ("p50", "p99"):
        taken = commits.get(f"{name}_ms")
        if taken is not None:
            yield Fact(f"commit {name}", f"{taken:.1f}", "ms")
    yield Fact("memory", *size(stats.get("rss_bytes", 0)))
    yield from _dead_letters(stats.get("dead_letters") or {})
    yield from _maintenance(stats.get("maintenance") or {})
    if fault := commits.get("fault"):
        yield Fact(clean(str(fault)), role="error")
    for reason, number in _largest(stats.get("refused") or {}):
        yield Fact(f"turned away: {clean(reason)}", f"{number:,}", role="warning")


def _dead_letters(counts: Mapping[str, Any]) -> Iterator[Fact]:
    """What was rejected since the collector's start, and where to read it."""
    if written := counts.get("letters", 0):
        how = "list them: eventdeck dead-letters"
        yield Fact("dead letters", f"{written:,}", how, role="warning")
    if left_out := counts.get("left_out", 0):
        yield Fact("rejected without a letter", f"{left_out:,}", role="warning")


def _maintenance(last: Mapping[str, Any]) -> Iterator[Fact]:
    """What the last round did to the parts."""
    if not last:
        return
    changed = (
        f"s; {last.get('files_added', 0):,} parts made, {last.get('files_removed', 0):,} removed"
    )
    yield Fact("last maintenance", f"{last.get('seconds', 0):.1f}", changed)
    for fault in last.get("faults", ())[:5]:
        yield Fact(clean(str(fault)), role="error")


def store_facts(
    stored: StoreChanged | None, *, now: datetime, zone: tzinfo = UTC, memory: int | None
) -> Facts:
    """What stands on disk, and what this dashboard takes."""
    if stored is None:
        return [Fact("opening the store", role="dim")]
    facts: list[Fact | Heading] = [
        Fact("events", count(stored.events)),
        Fact("parts", f"{stored.parts:,}"),
        Fact("on disk", *size(stored.bytes_stored)),
    ]
    if stored.events:
        facts.append(Fact("an event takes", f"{stored.bytes_stored / stored.events:.1f}", "B"))
    if stored.span:
        facts.append(Fact("first", moment(stored.span.start, zone, now)))
        facts.append(Fact("last", moment(stored.span.end, zone, now)))
    if memory:
        facts.append(Fact("this dashboard", *size(memory)))
    if stored.out_of_time:
        facts.append(Fact("out of time", count(stored.out_of_time), "events", role="warning"))
    facts += _files_facts("parts that cannot be read", stored.skipped)
    if stored.quarantined:
        facts += _files_facts("parts in quarantine", stored.quarantined)
    return facts


def _files_facts(name: str, files: Sequence[tuple[str, str]]) -> Facts:
    """How many, and the first of them with the reason."""
    return [
        Fact(name, f"{len(files):,}", role="error" if files else "text"),
        *(
            Fact(f"{clean(path.rsplit('/', 2)[-1])}: {clean(why)}", role="dim")
            for path, why in files[:FILES_SHOWN_MAX]
        ),
    ]


def failure_facts(failures: list[tuple[datetime, str, str]], zone: tzinfo) -> Facts:
    """The newest first, each with the last lines of what is known about it."""
    facts: list[Fact | Heading] = []
    for when, sentence, detail in reversed(failures):
        facts.append(Fact(f"{clock(when, zone)}  {clean(sentence)}", role="error"))
        facts += [Fact(f"  {clean(row)}", role="dim") for row in detail.splitlines()[-6:]]
    return facts or [Fact("none", role="dim")]


def sending_facts(collector: str | None) -> Facts:
    """How to get events in: lines that can be pasted."""
    ways = [
        ("Python", 'from store.client import Client; shop = Client(service_name="shop")'),
        ("", 'shop.record("behavioral", "signup", user_id="ada", plan="pro")'),
        ("files", "eventdeck import events.ndjson   (or .csv, .parquet, .gz, .zst)"),
    ]
    if collector:
        ways.insert(0, ("shell", curl_line(collector)))
    return [Fact(name.ljust(8), rest=command, role="dim") for name, command in ways]
