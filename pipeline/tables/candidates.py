"""Which videos may be copies of which: those whose shots have keys in common, and the same file under two names.

Never all pairs: a bucket is the videos that have a key, and one that holds many is left out. Whatever the order of the
videos, the candidates are the same.
"""

from collections.abc import Iterator

import pyarrow as pa

from pipeline.tables.workspace import Workspace
from stages.find_duplicates import FindDuplicatesConfig

PAIR = pa.schema([("video_id", pa.string()), ("other", pa.string())])

# Uses numbers instead of ids, since a bucket has many pairs. `is_first`: no video with the same file has a lower id.
_FILES = """
    select video_id, sha256, row_number() over (order by video_id) as n,
           min(video_id) over (partition by sha256) = video_id as is_first
    from (select distinct video_id, sha256 from ingest where reject is null)"""
_KEYS = """
    select distinct n, unnest(keys) as key from shots join files using (video_id) where is_first"""
_PAIRS = """
    with wanted as (select key from shot_keys group by key having count(*) between 2 and $max_bucket),
    found as (select n, key from shot_keys semi join wanted using (key)),
    shared as (
        select a.n, b.n as other, count(*) as keys from found a join found b on a.key = b.key and b.n < a.n
        group by a.n, b.n having count(*) >= $min_common_keys
        qualify row_number() over (partition by a.n order by count(*) desc, b.n) <= $max_candidates
    )
    select a.video_id, b.video_id as other
    from shared join files a on a.n = shared.n join files b on b.n = shared.other
    union all
    select video_id, other from files join (select sha256, video_id as other from files where is_first) using (sha256)
    where not is_first
    order by 1, 2"""


def candidates(work: Workspace, config: FindDuplicatesConfig) -> Iterator[pa.Table]:
    """Yields rows of PAIR with `other` < `video_id`. Reads the tables `ingest` and `shots` of the workspace."""
    number = pa.int64()
    files = pa.schema([*[(n, pa.string()) for n in ("video_id", "sha256")], ("n", number), ("is_first", pa.bool_())])
    work.put("files", work.sql(_FILES, files), files)
    keys = pa.schema([("n", number), ("key", number)])
    work.put("shot_keys", work.sql(_KEYS, keys), keys)
    limits = {name: getattr(config, name) for name in ("max_bucket", "min_common_keys", "max_candidates")}
    yield from work.sql(_PAIRS, PAIR, limits)
