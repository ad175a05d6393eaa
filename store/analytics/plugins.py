"""Analyses from outside: a user's own file, or a package that declares an entry point.

Either names what store.analytics.registry does: a tuple ANALYSES of objects with what
store.analytics.analysis.Analysis (or Derived) asks for.
"""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from store.analytics.query import Query
from store.analytics.registry import ANALYSES, Entry, Known
from store.errors import UsageError

GROUP: Final = "eventdeck.analyses"
"""The group of entry points; each names a module with ANALYSES."""

_OF_ALL: Final = ("name", "query_type", "as_json")
_OF_PARTIALS: Final = ("version", "horizon", "columns", "numbers", "partial", "combine", "finish")


def known_analyses(files: Iterable[str] = ()) -> Sequence[Known]:
    """Our own, those of installed packages, and those of these Python files, which are run. A
    UsageError says which one cannot be had and why: it is missing or fails, lacks ANALYSES or
    something that an analysis has, or takes a name that is taken.
    """
    known: list[Known] = list(ANALYSES)
    for point in importlib.metadata.entry_points(group=GROUP):
        _add(known, _loaded(point.value, point.load), point.value)
    for file in files:
        _add(known, _loaded(file, partial(_module_of, Path(file))), file)
    return known


def _loaded(place: str, load: Callable[[], ModuleType]) -> ModuleType:
    try:
        return load()
    except OSError as error:
        raise UsageError("plugin", str(error.strerror).lower(), place=place) from None
    except Exception as error:
        said = f"it fails: {type(error).__name__}: {error}"
        raise UsageError("plugin", said, place=place) from error


def _module_of(path: Path) -> ModuleType:
    path.open("rb").close()  # a missing file has a sentence of its own
    name = f"eventdeck_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("its name does not end with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _add(known: list[Known], module: ModuleType, place: str) -> None:
    found = getattr(module, "ANALYSES", None)
    if not isinstance(found, tuple | list) or not found:
        step = "write ANALYSES = (YourAnalysis(),)"
        raise UsageError("plugin", "it has no ANALYSES", place=place, next_step=step)
    for analysis in found:
        if not isinstance(analysis, Entry):
            _check(analysis, place)
        if analysis.name in {each.name for each in known}:
            fault = f"there is an analysis {analysis.name!r} already"
            raise UsageError("plugin", fault, place=place, next_step="give it another name")
        known.append(analysis)


def _check(analysis: Any, place: str) -> None:
    wanted = _OF_ALL if hasattr(analysis, "steps") else (*_OF_ALL, *_OF_PARTIALS)
    lacking = [name for name in wanted if not hasattr(analysis, name)]
    if lacking:
        fault = f"{type(analysis).__name__} has no {', '.join(lacking)}"
        step = "see store.analytics.analysis for what an analysis has"
        raise UsageError("plugin", fault, place=place, next_step=step)
    asked = analysis.query_type
    if not (isinstance(asked, type) and issubclass(asked, Query)):
        fault = f"the query_type of {analysis.name} is no Query"
        raise UsageError("plugin", fault, place=place, next_step="derive it from Query")
