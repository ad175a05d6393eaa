"""From a method and a path to what answers there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.collector.intake.intake import Intake, Request, SharingIntake
from store.collector.refused import Refused

Content = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """What GET answers as JSON, made anew for each request."""

    content: Content


@dataclass(frozen=True, slots=True)
class Shared:
    """Intakes at one path; the last takes what no other does."""

    intakes: tuple[Intake, ...]

    def taking(self, request: Request) -> Intake:
        *some, other = self.intakes
        return next((i for i in some if isinstance(i, SharingIntake) and i.takes(request)), other)


Target = Intake | Page


class Routes:
    """Intakes by their own routes, pages by path for GET and HEAD. Exact paths win over `{…}`.

    Where several intakes have one path, the first that takes a request has it.
    """

    def __init__(self, intakes: Sequence[Intake], pages: Mapping[str, Content]) -> None:
        self._exact: dict[str, dict[str, Target | Shared]] = {}
        self._patterns: list[tuple[list[str], dict[str, Target | Shared]]] = []
        for path, content in pages.items():
            self._exact[path] = {"GET": Page(content), "HEAD": Page(content)}
        for intake in intakes:
            for method, path in intake.routes:
                self._add(method, path, intake)

    def find(self, method: str, request: Request) -> Target:
        """Refused: 404 for an unknown path, 405 for a method that the path does not take."""
        methods = self.methods(request.path)
        if not methods:
            raise Refused(404, "no_route", "there is nothing at this path")
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            fault = f"this path takes {allowed}"
            raise Refused(405, "wrong_method", fault, headers={"allow": allowed})
        found = methods[method]
        return found.taking(request) if isinstance(found, Shared) else found

    def methods(self, path: str) -> Mapping[str, Target | Shared]:
        """What answers at the path, by method; empty when nothing does."""
        if path in self._exact:
            return self._exact[path]
        segments = path.split("/")
        return next((found for pattern, found in self._patterns if _fits(pattern, segments)), {})

    def _add(self, method: str, path: str, intake: Intake) -> None:
        methods = self._methods_of(path)
        before = methods.get(method)
        if isinstance(before, Shared):
            methods[method] = Shared((*before.intakes, intake))
        elif before is None or isinstance(before, Page):
            methods[method] = intake
        else:
            methods[method] = Shared((before, intake))

    def _methods_of(self, path: str) -> dict[str, Target | Shared]:
        """Those at a path or pattern, to add to."""
        if "{" not in path:
            return self._exact.setdefault(path, {})
        pattern = path.split("/")
        for known, methods in self._patterns:
            if known == pattern:
                return methods
        self._patterns.append((pattern, {}))
        return self._patterns[-1][1]


def _fits(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    return len(pattern) == len(segments) and all(
        want == have or (want.startswith("{") and have)
        for want, have in zip(pattern, segments, strict=True)
    )
