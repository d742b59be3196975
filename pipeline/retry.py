"""`longvid retry`: marks rejected units so that the next build tries them again and counts the attempt."""

import duckdb

from pipeline.tables.catalog import CatalogError, open_catalog
from pipeline.tables.damage import naming
from schemas.rejects import REASONS
from workers.storage.files import PathError
from workers.storage.store import Store


def retry(corpus: str, *, reason: str | None = None, where: str | None = None) -> int:
    """Marks the rejects with a reason code, or those that meet an SQL condition over the table `rejects`.

    Returns:
        The number of marked rejects.

    Raises:
        CatalogError: the reason is unknown, or the condition is wrong.
        NotBuilt: no build has finished.
    """
    if reason is not None and reason not in REASONS:
        raise CatalogError(f"reason = {reason!r}: use one of {', '.join(REASONS)}")
    store = Store(corpus)
    with open_catalog(corpus) as catalog:
        rejects = catalog.table("rejects").filter(duckdb.ColumnExpression("path").isnotnull())
        if reason is not None:
            rejects = rejects.filter(duckdb.ColumnExpression("reason") == duckdb.ConstantExpression(reason))
        if where is not None:
            # DuckDB takes it as one expression: nothing may follow it.
            rejects = rejects.filter(where)
        paths = [path for (path,) in rejects.select("path").distinct().fetchall()]
    marked = 0
    for path in paths:
        _check(path)
        if not store.exists(path):
            continue  # already cleared, or done since the table was made
        with naming(path):
            reject = store.read_json(path)
            if not isinstance(reject, dict):
                raise ValueError("is no JSON object")
        store.write_json(path, {**reject, "retry": True})
        marked += 1
    return marked


def _check(path: str) -> None:
    """Raises PathError unless the path is that of a reject, since the table is untrusted."""
    if not (path.startswith("units/") and path.endswith(".reject.json")):
        raise PathError(f"tables/rejects.parquet: path = {path[:200]!r}: no reject of this corpus; build it again")
