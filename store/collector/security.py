"""Who may talk to the collector: names of this machine, known origins, and holders of the token.

A page in a browser can reach loopback too. It cannot forge Host or Origin, so both are checked
on every request, before anything else of it is looked at.
"""

import base64
import binascii
import contextlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from store.collector.refused import Refused
from store.errors import UsageError
from store.settings import CollectorSettings

Headers = list[tuple[bytes, bytes]]

KEY_HEADERS: Final = ("x-honeycomb-team", "dd-api-key")
KEY_PARAMETERS: Final = ("sentry_key", "dd-api-key")
_SENTRY_KEY: Final = re.compile(r"\bsentry_key=([^,\s]+)")
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:@/\s\[\]]+)(?::\d{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether binding `host` keeps the collector on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(settings: CollectorSettings) -> None:
    """A UsageError when other machines could send without a token."""
    if not is_loopback(settings.host) and not settings.token:
        raise UsageError(
            "collector",
            "other machines could reach it, and no token is set",
            place=settings.host,
            next_step="set collector.token in the settings, or bind 127.0.0.1",
        )


class Guard:
    """Raises Refused for a request whose Host, Origin or token is not right."""

    def __init__(self, settings: CollectorSettings) -> None:
        self._token = settings.token.encode()
        self._origins = frozenset(settings.origins)
        # Behind a token, other machines come by whatever name they know this one by.
        self._names = LOOPBACK_NAMES if is_loopback(settings.host) else None

    def check(self, target: bytes, headers: Headers) -> None:
        """Host and Origin; `target` is the request line's, which may name a host as well."""
        self._check_host(target, [value for name, value in headers if name == b"host"])
        origins = [value for name, value in headers if name == b"origin"]
        if not all(self.knows_origin(origin) for origin in origins):
            raise Refused(403, "origin", "this web origin may not send here")

    def knows_origin(self, origin: bytes) -> bool:
        return origin.decode("latin-1") in self._origins

    def check_token(
        self, headers: Mapping[str, str], parameters: Callable[[], Mapping[str, str]] = dict
    ) -> None:
        """A bearer token, either half of Basic credentials, or the key of a vendor's client, in a
        header or as a parameter of the query.
        """
        if not self._token:
            return
        candidates = [*_credentials(headers), *_keys(headers, parameters())]
        # Every candidate is compared, so that the time taken tells nothing.
        matches = [hmac.compare_digest(given, self._token) for given in candidates]
        if not any(matches):
            challenge = {"www-authenticate": "Bearer"}
            raise Refused(401, "token", "the token is missing or wrong", headers=challenge)

    def _check_host(self, target: bytes, hosts: list[bytes]) -> None:
        if len(hosts) != 1:
            raise Refused(400, "host", f"one Host header is wanted, not {len(hosts)}")
        named = [hosts[0]]
        if not target.startswith(b"/"):  # absolute form: it overrides the header
            scheme, _, rest = target.partition(b"://")
            named.append(rest.partition(b"/")[0] if scheme.lower() == b"http" else b"")
        if not all(self._is_known_host(host.decode("latin-1")) for host in named):
            raise Refused(421, "host", "this is not a name of this collector")

    def _is_known_host(self, host: str) -> bool:
        found = _AUTHORITY.fullmatch(host)
        return found is not None and (self._names is None or found[1].lower() in self._names)


def _keys(headers: Mapping[str, str], parameters: Mapping[str, str]) -> list[bytes]:
    """As the clients of Honeycomb, Datadog and Sentry send theirs; Sentry's in browsers set no
    headers.
    """
    found = [headers.get(name, "") for name in KEY_HEADERS]
    found += [parameters.get(name, "") for name in KEY_PARAMETERS]
    found += _SENTRY_KEY.findall(headers.get("x-sentry-auth", ""))
    return [key.encode("latin-1", "replace") for key in found]


def _credentials(headers: Mapping[str, str]) -> list[bytes]:
    """Elastic's `ApiKey` is a key, or an id and a key as Basic has them."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    given = value.strip().encode("latin-1", "replace")
    found = [given] if scheme.lower() in {"bearer", "apikey"} else []
    if scheme.lower() in {"basic", "apikey"}:
        with contextlib.suppress(binascii.Error):
            found += base64.b64decode(given, validate=True).split(b":", 1)
    return found
