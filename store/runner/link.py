"""The collector that a run sends to: joined or started, and started anew when it is gone."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from store.client.delivery import Post, Verdict
from store.collector.attach import Attachment, attach
from store.collector.presence import serving
from store.parts.layout import StoreFolder
from store.runner.environment import Collecting
from store.settings import Settings
from store.vacuum.output import CONTENT_TYPE

REQUEST_SECONDS_MAX: Final = 10.0
ASK_SECONDS_MAX: Final = 2.0


class Link:
    """Holds the collector for as long as it is open."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._attachments: list[Attachment] = []
        self._post: Post | None = None
        self.url = ""

    def connect(self) -> None:
        """Joins the collector of the store, or starts one, at the address that it had before if
        it was there. StoreError: it does not come up.
        """
        settings = self._settings
        if self.url:
            port = urlsplit(self.url).port or 0
            settings = replace(settings, collector=replace(settings.collector, port=port))
        attachment = attach(settings)
        self._attachments.append(attachment)
        if attachment.url != self.url:
            self.url = attachment.url
            token = settings.collector.token
            self._post = Post(self.url, token, REQUEST_SECONDS_MAX, CONTENT_TYPE)

    def send(self, body: bytes, lines: int, path: str) -> Verdict:
        if self._post is None:
            return Verdict(False, fault="there is no collector", absent=True)
        return self._post.send(body, lines, path)

    def collecting(self) -> Collecting:
        """What it takes, as it says itself."""
        token = self._settings.collector.token
        listening = serving(StoreFolder(self._settings.store))
        statsd = (listening.statsd if listening else None) or ""
        return Collecting(self.url, self._intakes(token), statsd, token)

    def close(self) -> None:
        for attachment in self._attachments:
            attachment.close()

    def _intakes(self, token: str) -> Sequence[str]:
        parts = urlsplit(self.url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ASK_SECONDS_MAX)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/v1/stats", headers=headers)
                return [str(name) for name in json.load(connection.getresponse())["intakes"]]
            except (OSError, HTTPException, ValueError, KeyError, TypeError):
                return ("native", "otlp")
