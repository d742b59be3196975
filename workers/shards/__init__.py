"""How samples lie in shards, how they are written and read, and in which order.

`ShardReader` reads by byte range, in an order that can be resumed; `samples` is a `webdataset` pipeline.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.shards.reader import ShardReader
    from workers.shards.webdataset import samples

__all__ = ["ShardReader", "samples"]


def __getattr__(name: str) -> Any:
    # Imported when it is first used: who packs shards needs neither torch nor webdataset.
    if name == "ShardReader":
        from workers.shards.reader import ShardReader

        return ShardReader
    if name == "samples":
        from workers.shards.webdataset import samples

        return samples
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
