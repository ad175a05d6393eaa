"""From a method and a path to what answers there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.collector.intake.intake import Intake
from store.collector.refused import Refused

Content = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """What GET answers as JSON, made anew for each request."""

    content: Content


Target = Intake | Page


class Routes:
    """Intakes by their own routes, pages by path for GET and HEAD. Exact paths win over `{…}`."""

    def __init__(self, intakes: Sequence[Intake], pages: Mapping[str, Content]) -> None:
        self._exact: dict[str, dict[str, Target]] = {}
        self._patterns: list[tuple[list[str], dict[str, Target]]] = []
        for path, content in pages.items():
            self._exact[path] = {"GET": Page(content), "HEAD": Page(content)}
        for intake in intakes:
            for method, path in intake.routes:
                self._add(method, path, intake)

    def find(self, method: str, path: str) -> Target:
        """Refused: 404 for an unknown path, 405 for a method that the path does not take."""
        methods = self.methods(path)
        if not methods:
            raise Refused(404, "no_route", "there is nothing at this path")
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            fault = f"this path takes {allowed}"
            raise Refused(405, "wrong_method", fault, headers={"allow": allowed})
        return methods[method]

    def methods(self, path: str) -> Mapping[str, Target]:
        """What answers at the path, by method; empty when nothing does."""
        if path in self._exact:
            return self._exact[path]
        segments = path.split("/")
        return next((found for pattern, found in self._patterns if _fits(pattern, segments)), {})

    def _add(self, method: str, path: str, intake: Intake) -> None:
        if "{" not in path:
            self._exact.setdefault(path, {})[method] = intake
            return
        pattern = path.split("/")
        for known, methods in self._patterns:
            if known == pattern:
                methods[method] = intake
                return
        self._patterns.append((pattern, {method: intake}))


def _fits(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    return len(pattern) == len(segments) and all(
        want == have or (want.startswith("{") and have)
        for want, have in zip(pattern, segments, strict=True)
    )
