"""Gives rejected units another try: the next build runs them again and counts the attempt."""

import pyarrow as pa

from pipeline.catalog import open_catalog
from workers.storage import PathError, Store


def retry(corpus: str, where: str) -> int:
    """Marks the rejects for which the SQL condition `where` over the table `rejects` holds; gives their number."""
    store = Store(corpus)
    with open_catalog(corpus) as catalog:
        rows = catalog.sql(f"select distinct path from rejects where path is not null and ({where})").fetchall()
    marked = 0
    for (path,) in rows:
        _check(path)
        try:
            reject = store.read_json(path)
        except (FileNotFoundError, pa.ArrowException):
            continue  # already cleared, or done since the table was made
        store.write_json(path, {**reject, "retry": True})
        marked += 1
    return marked


def _check(path: str) -> None:
    """Raises PathError for what is no reject's own file: the table may come from someone else."""
    if not (path.startswith("units/") and path.endswith(".reject.json")):
        raise PathError(f"tables/rejects.parquet: path = {path[:200]!r}: no reject of this corpus; build it again")


def reason_is(reason: str) -> str:
    """The condition for one reason code, quoted."""
    return "reason = '" + reason.replace("'", "''") + "'"
