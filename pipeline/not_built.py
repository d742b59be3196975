"""The error of commands that need a part of a corpus that has not been built."""

import shlex

from workers.fetch.redaction import redacted
from workers.storage.store import Store


class NotBuilt(ValueError):
    """A command needs a part of a corpus that has not been built. The message contains the command to run."""


def require_built(store: Store, path: str, what: str) -> None:
    """Raises NotBuilt unless the corpus has the file `path`; `what` names it in the message ("the table samples")."""
    if not store.exists(path):
        raise not_built(store, what)


def require_tables(store: Store, *names: str) -> None:
    """Raises NotBuilt unless the corpus has these tables."""
    for name in names:
        require_built(store, f"tables/{name}.parquet", f"the table {name}")


def not_built(store: Store, what: str) -> NotBuilt:
    """Returns the error for a missing part of a corpus, or for a folder that is no corpus."""
    root = redacted(store.root)
    command = f"longvid build --manifest MANIFEST --out {shlex.quote(root)}"
    if what == "corpus.json" and store.exists("tables/samples.parquet") and not store.has_folder("units"):
        return NotBuilt(f"{root}: {what}: not there, since only shards and tables were published; ask who built it")
    if store.exists("corpus.json") or any(store.files("tables")):
        return NotBuilt(f"{root}: {what}: not built yet: run `{command}`")
    return NotBuilt(f"{root}: no corpus there: run `{command}`, or give the folder that an earlier build wrote")
