"""The house keeps its own rules: registries are complete, the top level is fixed."""

import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from store.analytics.explain import ExplainAnalysis
from store.analytics.profile import ProfileAnalysis
from tui.screens.asking_sql import AskingSql
from tui.screens.deck_screen import DeckScreen
from tui.screens.one_session import OneSession

ROOT = Path(__file__).parent.parent.parent
# Asked by another analysis alone, never by a person; and what all screens, or some, share.
NOT_LISTED = {ExplainAnalysis, ProfileAnalysis, DeckScreen, OneSession, AskingSql}
ALLOWED = {"pyproject.toml", "tui", "store", "tests", "sample_data", "README.md", "LICENSE"}


def test_nothing_stands_at_the_top_level_beside_what_belongs_there():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    tops = {name.split("/")[0] for name in listed}
    assert {top for top in tops if not top.startswith(".")} <= ALLOWED


@pytest.mark.parametrize("module", ["store.client", "store.collector.server", "tui.cli"])
def test_importing_it_does_not_bring_in_the_screens(module):
    code = (
        f"import sys, {module}; "
        "sys.exit(', '.join(m for m in ('textual', 'plotext', 'rich') if m in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def of_commands(module):
    return [module.COMMAND] if hasattr(module, "COMMAND") else []


def classes_with(*members):
    def of(module):
        return [
            found
            for found in vars(module).values()
            if isinstance(found, type)
            and found.__module__ == module.__name__
            and not getattr(found, "_is_protocol", False)
            and all(hasattr(found, member) for member in members)
        ]

    return of


@pytest.mark.parametrize(
    ("package", "registry", "found_in"),
    [
        ("tui.commands", "COMMANDS", of_commands),
        ("tui.screens", "SCREENS", classes_with("body", "questions", "show")),
        ("store.collector.processors", "PROCESSORS", classes_with("name", "__call__")),
        ("store.collector.intake", "INTAKES", classes_with("decode", "reply")),
        ("store.maintenance", "JOBS", classes_with("plan", "carry_out")),
        ("store.collector.sinks", "SINKS", classes_with("write")),
        ("store.importer", "FORMATS", classes_with("suffixes")),
        ("store.exporter", "FORMATS", classes_with("suffixes")),
        ("store.analytics", "ANALYSES", classes_with("partial", "finish")),
    ],
)
def test_whatever_stands_in_such_a_folder_stands_in_its_tuple(package, registry, found_in):
    folder = importlib.import_module(package)
    has_registry = importlib.util.find_spec(f"{package}.registry") is not None
    tuple_in = importlib.import_module(f"{package}.registry") if has_registry else folder
    entries = [getattr(entry, "load", lambda e=entry: e)() for entry in getattr(tuple_in, registry)]
    listed = [*entries, *map(type, entries)]
    there = [
        thing
        for found in pkgutil.iter_modules(folder.__path__, f"{package}.")
        for thing in found_in(importlib.import_module(found.name))
    ]
    assert there
    assert {thing for thing in there if thing not in listed} <= NOT_LISTED
