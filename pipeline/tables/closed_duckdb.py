"""DuckDB connections that can read only the tables they were given, and the only function that queries them.

No other file, no network, no extension that would be fetched from one. Values are parameters of a statement, never part
of its text: tables, manifests and shards are untrusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.messages import is_text

if TYPE_CHECKING:
    import duckdb  # at run time within functions, since commands that use no connection import this module as well

# What a query begins with, where its first words decide: PIVOT is several statements to DuckDB, and EXPLAIN hides one.
_KINDS = {"SELECT", "EXPLAIN", "MULTI", "CREATE", "TRANSACTION"}
_QUERY_WORDS = frozenset(
    ["select", "from", "with", "values", "pivot", "unpivot", "table", "describe", "summarize", "show"]
)

BATCH_ROWS = 4096
EXAMPLE = "select task, count(*) from samples group by 1"
Parameters = Sequence[Any] | dict[str, Any] | None


class SqlError(ValueError):
    """A text is not exactly one query. The message contains what was found."""


def connect(temporary: Path, folders: Sequence[Path] = (), **config: Any) -> duckdb.DuckDBPyConnection:
    """Opens an in-memory connection whose configuration is locked.

    Args:
        temporary: a folder made when a query outgrows the memory, and removed when the connection closes.
        folders: the only folders whose files it may open; it may write there as well, so ask it by `select` alone.
        config: settings of DuckDB, such as `threads`.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
            "temp_directory": str(temporary),
            **config,
        }
    )
    connection.execute("set allowed_directories = ?", [[str(folder) for folder in folders]])
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def select(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters = None) -> duckdb.DuckDBPyRelation:
    """Yields the rows of one query, or of EXPLAIN of one. `parameters` are the values of its `?` or `$name`.

    Raises:
        SqlError: the text is anything else, or several statements.
        duckdb.Error: DuckDB finds the query wrong.
    """
    if not is_text(sql):
        raise SqlError("the query is no UTF-8 text")
    statements = connection.extract_statements(sql)
    # DuckDB 1.5 parses a PIVOT into statements without a text, 2.0 into one MULTI, as it does a COPY of one.
    is_one = len(statements) == 1 or (statements and not any(s.query for s in statements))
    kinds = {s.type.name for s in statements}
    if not (is_one and kinds <= _KINDS and (kinds == {"SELECT"} or _begins_a_query(_words(sql)))):
        raise SqlError(f'give one query, such as "{EXAMPLE}"; found: {", ".join(sorted(kinds)) or "nothing"}')
    rows = connection.sql(sql, params=parameters)
    if rows is None:
        raise SqlError("DuckDB 1.5 cannot explain a PIVOT")
    return rows


def dict_rows(rows: duckdb.DuckDBPyRelation) -> Iterator[dict[str, Any]]:
    """Yields the rows of a relation, of which it holds one batch at a time."""
    for batch in rows.to_arrow_reader(BATCH_ROWS):
        yield from batch.to_pylist()


def _begins_a_query(words: list[str]) -> bool:
    if words[0] == "explain":
        words = words[1:]
        if words[0] == "analyze":
            words = words[1:]
        elif words[:2] in (["(", "analyze"], ["(", "format"]):
            words = words[words.index(")") + 1 :]
    return next((word for word in words if word != "("), "") in _QUERY_WORDS


def _words(sql: str) -> list[str]:
    """Returns the tokens of a text in lower case, without comments; for quoted tokens, the quote."""
    import duckdb

    text, tokens = sql.encode(), duckdb.tokenize(sql)  # the offsets are in bytes
    starts = [start for start, kind in tokens if kind != duckdb.token_type.comment]
    words = (re.match(r"\w+|\S", text[start : start + 32].decode(errors="ignore")) for start in starts)
    return [word[0].lower() for word in words if word]
