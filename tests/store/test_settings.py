from datetime import timedelta
from pathlib import Path

import pytest

from store.errors import UsageError
from store.settings import OFF, load_settings


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_file_overrides_defaults_and_the_given_store_overrides_the_file(written, tmp_path):
    config = written(
        'store = "/elsewhere"\n[collector]\nport = 99\ndrain_timeout = "2s"\n'
        'origins = ["http://localhost:3000"]\n[limits]\ndepth_max = 4\n'
    )
    settings = load_settings(tmp_path, config)
    assert settings.store == tmp_path
    assert settings.collector.port == 99
    assert settings.collector.drain_timeout == timedelta(seconds=2)
    assert settings.collector.origins == ("http://localhost:3000",)
    assert settings.limits.depth_max == 4
    assert load_settings(None, config).store == Path("/elsewhere")


def test_the_environment_names_the_store_and_the_file(written, tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTDECK_STORE", str(tmp_path / "s"))
    monkeypatch.setenv("EVENTDECK_CONFIG", str(written('week_start = "sunday"')))
    settings = load_settings()
    assert settings.store == tmp_path / "s"
    assert settings.week_start == "sunday"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("colour = 1", "there is no colour; known here"),
        ("[collector]\nprot = 1", r"there is no collector\.prot"),
        ("[collector]\nport = 'x'", r"collector\.port is 'x', wanted int"),
        ("[collector]\nport = true", r"collector\.port is True, wanted int"),
        ("[collector]\ndrain_timeout = 5", "wanted a duration"),
        ("[collector]\norigins = [1]", "wanted tuple"),
        ("store = [", "config.toml"),
        ("limits = 3", "wanted Limits"),
        ("[collector]\nport = 70000", r"collector\.port is 70000, wanted 0 to 65535"),
        ("[collector]\nport = -1", r"collector\.port is -1, wanted 0 to 65535"),
        ("[collector]\nstatsd_port = -2", "wanted 0 to 65535"),
        ("[collector]\nport = 'off'", "wanted int"),
        ("[collector]\nqueue_events_max = -1", "wanted 0 or more"),
        ("[retention]\nmax_bytes = -1", r"retention\.max_bytes is -1, wanted 0 or more"),
        ("[retention]\nraw = 'soon'", r"retention\.raw: 'soon' is not a duration; write 250ms"),
        ("week_start = 'someday'", "week_start is 'someday', wanted one of monday, tuesday"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(written, text, fault):
    with pytest.raises(UsageError, match=fault) as caught:
        load_settings(config=written(text))
    assert "config.toml" in str(caught.value)


def test_a_protocol_is_off_by_its_word_or_its_number(written):
    config = written("[collector]\ngrpc_port = 'off'\nstatsd_port = -1\n")
    assert load_settings(config=config).collector.grpc_port == OFF
    assert load_settings(config=config).collector.statsd_port == OFF


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="there is no such file"):
        load_settings(config=tmp_path / "none.toml")


def test_keys_are_named_as_a_table_or_in_quotes(written):
    config = written('[keys]\nchart.brush = "B"\n"explore.error" = "n"\n')
    assert load_settings(config=config).keys == {"chart.brush": "B", "explore.error": "n"}
