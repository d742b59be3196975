"""The tables of a corpus: gathered from units, queried with DuckDB."""
