"""Addresses as a corpus keeps them: without credentials, query and fragment, and of an absolute path its last part.

It keeps a hash of the whole as well: another signature makes another unit, as any change of an address does.
"""

import hashlib
import posixpath
import re
from typing import Any

import pyarrow as pa

from workers.fetch.urls import redacted

ADDRESSES = ("uri", "subtitles", "events_file")
_SEAL = re.compile("#sha256=[0-9a-f]{32}")


def sealed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its addresses sealed. Sealed again, it is the same: plans are made from what the corpus keeps."""
    return {**row, **{name: _seal(row[name]) for name in ADDRESSES if row.get(name)}}


def seal(table: pa.Table) -> pa.Table:
    """A table of the manifest with its addresses sealed."""
    for name in ADDRESSES:
        values = [_seal(value) if value else value for value in table[name].to_pylist()]
        column = table.schema.get_field_index(name)
        table = table.set_column(column, table.schema.field(column), pa.array(values, table.schema.field(column).type))
    return table


def _seal(value: Any) -> Any:
    if isinstance(value, list):
        return [_seal(address) for address in value]
    if value.startswith("/"):
        return f"{posixpath.basename(value)}#sha256={hashlib.sha256(value.encode()).hexdigest()[:32]}"
    bare = redacted(value)
    if value == bare or _SEAL.fullmatch(value.removeprefix(bare)):
        return value
    return f"{bare}#sha256={hashlib.sha256(value.encode()).hexdigest()[:32]}"
