"""Masking: the values of secret fields never get past here, whatever they hold.

A field is secret by its name: the last segment of the flattened name, in any case and spelling
(`metadata.password`, `apiKey`, `X-Api-Key`, `DB_PASSWORD`), and all below a secret name. Names
inside lists and objects that are kept as JSON text count as well. Booleans and nulls stay.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Any, Final

import polars as pl

from store.collector.processors.processor import Processed
from store.normalise.json_text import NotTakenError, dumps, exact_loads
from store.schema import FIXED, arrow_values

MASKED: Final = "[masked]"
_FEW: Final = 16
"""Up to this many texts, a look at each costs less than the queries that look at all of them."""
# A name is secret when, without its separators, it ends like this: `user_password`, `authToken`.
_ENDINGS: Final = {
    "password": ("password", "passwords", "passwd", "passphrase", "passwordhash", "pwd"),
    "secret": ("secret", "secrets", "secretkey", "secretvalue", "accesskey", "accesskeyid"),
    "token": ("token", "tokenvalue", "jwt", "bearer"),
    "authorization": ("authorization", "authorizationheader", "sentryauth"),
    "cookie": ("cookie", "cookies", "cookieheader"),
    "api_key": ("apikey", "apikeys", "writekey", "licensekey", "sentrykey", "honeycombteam"),
    "credential": ("credential", "credentials"),
    "private_key": ("privatekey", "signingkey", "encryptionkey", "sshkey"),
}
_ALL_ENDINGS: Final = {ending: rule for rule, endings in _ENDINGS.items() for ending in endings}
_ENDING: Final = re.compile(f"(?:{'|'.join(sorted(_ALL_ENDINGS, key=len, reverse=True))})$")
# Where a shell is, not how one gets in.
_INNOCENT: Final = frozenset({"pwd", "oldpwd"})
# What may be said about a token without giving it away: `gen_ai.token.type`, `token.count`.
_ABOUT_TOKENS: Final = frozenset(
    {"type", "count", "counts", "usage", "limit", "total", "input", "output", "cost", "expires"}
)
_SEPARATORS: Final = re.compile(r"[-_\s]")
# A list, an object, or a text that is JSON itself.
_OPENS: Final = r'^\s*[\[{"]'
# A first look for a secret name before a colon, so that hardly any text has to be read as JSON.
_SUSPECT: Final = (
    r"(?i)(?:pass|pwd|secret|token|jwt|bearer|authorization|cookie|key|credential"
    r'|sentry[-_]?auth|honeycomb[-_]?team)[^"]{0,40}"\s*:'
)


class Mask:
    """Replaces secret values by MASKED, counted as `masked.RULE` (the keys of _ENDINGS)."""

    name = "mask"

    def __call__(self, events: pl.DataFrame) -> Processed:
        counts: Counter[str] = Counter()
        changed = [_masked_column(events[name], rule, counts) for name, rule in _secret(events)]
        texts = (_masked_json(events[name], counts) for name in _with_json(events))
        changed += [values for values in texts if values is not None]
        reasons = {f"masked.{rule}": count for rule, count in counts.items()}
        return Processed(events.with_columns(changed) if changed else events, reasons=reasons)


@lru_cache(maxsize=10_000)
def secret_rule(name: str) -> str | None:
    """The rule by which a field of this flattened name is secret; None for an innocent one."""
    *above, last = name.split(".")
    for segment in above:
        rule = _segment_rule(segment)
        if rule and not (rule == "token" and last.lower() in _ABOUT_TOKENS):
            return rule
    return _segment_rule(last)


def _segment_rule(segment: str) -> str | None:
    compact = _SEPARATORS.sub("", segment).lower()
    match = _ENDING.search(compact)
    return None if match is None or compact in _INNOCENT else _ALL_ENDINGS[match[0]]


def _secret(events: pl.DataFrame) -> list[tuple[str, str]]:
    found = ((name, secret_rule(name)) for name in events.columns if name not in FIXED)
    return [(name, rule) for name, rule in found if rule and events.schema[name] != pl.Boolean]


def _masked_column(values: pl.Series, rule: str, counts: Counter[str]) -> pl.Series:
    counts[rule] += len(values) - values.null_count()
    masked = pl.Series(values.name, [MASKED]).new_from_index(0, len(values))
    return masked.set(values.is_null(), None)


def _with_json(events: pl.DataFrame) -> list[str]:
    """The columns that are not secret by name, where a text may be a list or an object; a fixed
    one may hold the text of one.
    """
    return [
        name
        for name, kind in events.schema.items()
        if kind == pl.String
        and (name in FIXED or not secret_rule(name))
        and _has_bracket(events[name])
    ]


def _has_bracket(values: pl.Series) -> bool:
    """Whether there is one anywhere in the texts: 26 us for a thousand ids, where a look at the
    start of each takes 120.
    """
    if len(values) <= _FEW:
        return any("{" in text or "[" in text for text in values.to_list() if text)
    texts = arrow_values(values).buffers()[2]
    if texts is None:
        return False
    found = texts.to_pybytes()
    return b"{" in found or b"[" in found


def _masked_json(values: pl.Series, counts: Counter[str]) -> pl.Series | None:
    """The column without its secrets; None where it has none."""
    if len(values) <= _FEW:
        given = values.to_list()
        made = [text and masked_value(text, counts) for text in given]
        return None if made == given else pl.Series(values.name, made, dtype=pl.String)
    opens = values.str.contains(_OPENS).arg_true()
    texts = values.gather(opens)
    suspects = texts.str.contains(_SUSPECT).arg_true() if len(opens) else opens
    if not len(suspects):
        return None
    masked = [_masked_text(text, counts) for text in texts.gather(suspects).to_list()]
    return values.scatter(opens.gather(suspects), pl.Series(masked, dtype=pl.String))


def _masked_text(text: str, counts: Counter[str]) -> str:
    """The text with its secrets masked; all of it where it is JSON no more, as after a cut."""
    found: Counter[str] = Counter()
    try:
        masked = dumps(masked_value(exact_loads(text.encode()), found))
    except (NotTakenError, RecursionError):
        rule = _first_rule(text)
        found = Counter({rule: 1} if rule else {})
        masked = MASKED
    counts.update(found)
    return masked if found else text


def _first_rule(text: str) -> str | None:
    names = re.findall(r'([\w.$ -]{1,256})\\*"\s*:', text)
    return next((rule for name in names if (rule := secret_rule(name))), None)


def masked_value(value: Any, counts: Counter[str]) -> Any:
    """A JSON value with what stands under secret names in it masked, as in events; what was is
    added to `counts`. RecursionError when it is nested too deeply.
    """
    if isinstance(value, list):
        return [masked_value(item, counts) for item in value]
    if isinstance(value, dict):
        return {name: _masked_field(name, item, counts) for name, item in value.items()}
    if isinstance(value, str) and re.match(_OPENS, value) and re.search(_SUSPECT, value):
        return _masked_text(value, counts)
    return value


def _masked_field(name: str, value: Any, counts: Counter[str]) -> Any:
    rule = secret_rule(name)
    if rule is None or value is None or isinstance(value, bool):
        return masked_value(value, counts)
    counts[rule] += 1
    return MASKED
