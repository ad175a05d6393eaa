"""Events out of the store: files that import again to the same events."""

from store.exporter.exports import FORMATS, Exported, export_file

__all__ = ["FORMATS", "Exported", "export_file"]
