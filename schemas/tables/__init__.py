"""Arrow schemas of the units and tables, with a comment per column. A column's unit is in its name (`_s`, `_bytes`).

`media`: videos, segments, frames, shots; `text`: timed texts; `qa`: QA pairs; `shards`: keyframes, samples, shards.

Times are seconds on the video's presentation timeline, the one a player shows; intervals are half-open [start, end).
"""

import pyarrow as pa

from schemas.table_names import TABLES as TABLES

# Version of shards, tables and corpus.json. 1: before versions were written; 2: one member per kind of tokens.
FORMAT_VERSION = 2

REJECT = pa.schema(
    [
        ("unit", pa.string()),  # the rejected unit: name of a video, a segment_id, ...
        ("kind", pa.string()),  # video | segment | shard | corpus
        ("stage", pa.string()),
        ("video_id", pa.string()),
        ("name", pa.string()),
        ("reason", pa.string()),  # a code: see schemas.rejects.REASONS
        ("detail", pa.string()),
        ("attempts", pa.int32()),
        ("path", pa.string()),  # of the file of this reject in the corpus; `longvid retry` changes it
    ]
)
