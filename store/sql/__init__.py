"""SQL over the events: `SELECT … FROM events …`, read only, in Polars' own dialect."""

from store.sql.answer import TABLES, SqlAnswer, run_sql

__all__ = ["TABLES", "SqlAnswer", "run_sql"]
