"""Files of OTLP requests in JSON."""

import json

import pytest

from store.importer import import_files
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from store.settings import Settings
from tests.store.collector.intake.samples.otlp import LOGS_JSON, METRICS_JSON, TRACES_JSON


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "store")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "telemetry.jsonl"
    documents = (LOGS_JSON, TRACES_JSON, METRICS_JSON)
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def stored(settings, *columns):
    parts = Catalog(StoreFolder.open(settings.store)).snapshot().parts
    return scan(parts, list(columns), None).select(columns).collect()


def test_requests_are_told_from_other_lines_by_their_content(settings, file):
    receipt = import_files([file], settings=settings)
    assert (receipt.stored, receipt.rejected) == (5, 0)
    found = stored(settings, "event_type", "event_name").sort("event_type", "event_name").rows()
    assert found == [
        *[("log", "log"), ("metric", "requests"), ("metric", "times")],
        *[("span", "pay"), ("span_event", "retry")],
    ]


def test_importing_twice_stores_once(settings, file):
    import_files([file], settings=settings)
    again = import_files([file], settings=settings, format="otlp")
    assert (again.stored, again.duplicate) == (0, 5)


def test_lines_that_are_no_requests_are_refused_with_their_places(settings, file):
    lines = file.read_text() + '{"x": 1}\n{"resourceLogs": 5}\n\n{\n'
    file.write_text(lines)
    receipt = import_files([file], settings=settings)
    assert receipt.stored == 5
    assert [(error.place, error.reason) for error in receipt.errors] == [
        ("telemetry.jsonl:4", "bad_otlp"),
        ("telemetry.jsonl:5", "bad_otlp"),
        ("telemetry.jsonl:7", "bad_json"),
    ]


def test_fields_can_be_mapped_and_set(settings, file):
    import_files(
        [file],
        settings=settings,
        mapping={"component": "otel.scope.name"},
        constants={"service_version": "9"},
    )
    found = stored(settings, "component", "service_version")
    assert found["service_version"].to_list() == ["9"] * 5
    assert found["component"].drop_nulls().to_list() == ["cart"]
