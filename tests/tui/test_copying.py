"""Copying more than the terminal's clipboard takes."""

from tests.tui.decks import deck, press, settled, text, until


async def test_what_is_too_long_for_the_clipboard_goes_into_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    long = "ä\x1b" * 40_000
    async with deck() as (app, pilot):
        app.copy_text(long)
        await until(pilot, lambda: "too long for the terminal's clipboard" in text(app))
        assert "120 kB" in text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "kept in" in text(app))
    (file,) = tmp_path.glob("eventdeck-*.txt")
    assert file.read_text(encoding="utf-8") == long
    assert file.stat().st_mode & 0o077 == 0


async def test_another_file_can_be_named_and_none_is_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    async with deck() as (app, pilot):
        app.copy_text("x" * 75_000)
        await settled(pilot)
        await press(pilot, *"./mine.txt", "enter")
        assert "there is such a file already" in text(app)
        await press(pilot, *"2", "enter")
        await until(pilot, lambda: "kept in" in text(app))
        app.copy_text("short")
        assert app.clipboard == "short"
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "mine.txt2").read_text() == "x" * 75_000
