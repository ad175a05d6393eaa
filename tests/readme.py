"""What the README shows, for tests that run it."""

from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def plugin_example(folder):
    """The file of the README's own analysis, in `folder`."""
    text = README.read_text(encoding="utf-8")
    code = text.partition("<!-- plugin -->\n```python\n")[2].partition("```\n<!-- /plugin -->")[0]
    file = folder / "hours.py"
    file.write_text(code)
    return file
