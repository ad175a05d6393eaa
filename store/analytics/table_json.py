"""A table as the `result` of the envelope."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from store.analytics.shapes import Result, Row, Table
from store.timespan import iso


def rows_json(result: Result) -> Mapping[str, Any]:
    """`{"rows": [{"key": {…}, …}]}`: each row's key, then its values in the table's order."""
    return {
        "rows": [
            {
                "key": dict(row.key),
                **({"folded": True} if row.folded else {}),
                **{name: _plain(value) for name, value in row.values.items()},
                **_few(row),
            }
            for row in cast(Table, result).rows
        ]
    }


def flat_rows_json(result: Result) -> Mapping[str, Any]:
    """`{"summary": {…}, "rows": [{…}]}`: keys and values of a row beside each other; no summary
    when the table has none.
    """
    table = cast(Table, result)
    rows = [
        {name: _plain(value) for name, value in {**row.key, **row.values}.items()}
        | ({"folded": True} if row.folded else {})
        | _few(row)
        for row in table.rows
    ]
    return {**({"summary": dict(table.summary)} if table.summary else {}), "rows": rows}


def _few(row: Row) -> dict[str, Any]:
    """Which percentiles rest on too few numbers; nothing where none does."""
    return {"few": list(row.few)} if row.few else {}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
