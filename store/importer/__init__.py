"""Files into the store: the same events, masking and accounting as what comes in by a protocol."""

from store.importer.imports import FORMATS, import_files

__all__ = ["FORMATS", "import_files"]
