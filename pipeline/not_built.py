"""What a command says that needs more of a corpus than has been built."""

from workers.fetch.redaction import redacted
from workers.storage.store import Store


class NotBuilt(ValueError):
    """A command needs what no build of the corpus has written yet. The message says what to run."""


def require_built(store: Store, path: str, what: str) -> None:
    """Raises NotBuilt unless the corpus has the file `path`; `what` names it for a user ("the table samples")."""
    if not store.exists(path):
        raise not_built(store, what)


def not_built(store: Store, what: str) -> NotBuilt:
    """The error for a part of a corpus that is missing, or for a folder that is no corpus at all."""
    root = redacted(store.root)
    command = f"longvid build --manifest MANIFEST --out {root}"
    if store.exists("corpus.json") or any(store.files("tables")):
        return NotBuilt(f"{root}: {what}: not built yet: run `{command}`")
    return NotBuilt(f"{root}: no corpus there: run `{command}`, or give the folder that an earlier build wrote")
