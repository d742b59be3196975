"""Videos of two corpora that show the same for a while: from their embeddings and thumbnails, second by second."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.inputs.recipe import recorded_recipe
from pipeline.phases import phases
from pipeline.plan import put_recorded_manifest, scan_phase
from pipeline.tables.published import is_published_only
from pipeline.tables.workspace import Workspace
from schemas.config import ConfigError
from stages.find_duplicates import FindDuplicatesConfig, read_seconds
from workers.fetch.redaction import redacted
from workers.shots.sequence_search import search, windows_of
from workers.storage.store import Store

AGREE = 0.6
"""Correlation of the changes in windows of a few seconds that counts as found."""
_UNITS = """
    select distinct s.video_id, s.name, find_shots_unit, embed_units from find_shots s where s.reject is null
    order by s.video_id"""
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("video_id", "name", "find_shots_unit")] + [("embed_units", pa.list_(pa.string()))]
)
_KNOWN_VIDEOS = 50  # of the benchmark, searched for at once


def sequences_in_common(store: Store, against: str) -> Iterator[dict[str, Any]]:
    """Columns of CONTAMINATION of each video of a corpus that shows a part of one of another corpus.

    None where one of the two has tables and shards only. Raises ConfigError where their towers differ.
    """
    other = Store(against)
    if is_published_only(store) or is_published_only(other):
        return
    towers = [recorded_recipe(each).embed.tower for each in (store, other)]
    if towers[0] != towers[1]:
        raise ConfigError(
            f"{redacted(other.root)}: was embedded by {towers[1].model}, {redacted(store.root)} by {towers[0].model}: "
            "build the benchmark's corpus with the same embed.tower"
        )
    config = recorded_recipe(store).stages()["find_duplicates"].config
    assert isinstance(config, FindDuplicatesConfig)
    own, known = _videos(store), _videos(other)
    for start in range(0, len(known), _KNOWN_VIDEOS):
        part = known[start : start + _KNOWN_VIDEOS]
        seconds = [read_seconds(video, other) for video in part]
        windows = windows_of([s.descriptors_ND for s in seconds if len(s)], still=config.still)
        filled = [(video, s) for video, s in zip(part, seconds, strict=True) if len(s)]
        for video in own:
            mine = read_seconds(video, store)
            for found in search(windows, np.asarray(mine.descriptors_ND), agree=AGREE) if len(mine) else ():
                theirs, origin = filled[found.owner]
                offset = found.offset_s + mine.start_s - origin.start_s
                told = {"found": theirs["name"], "score": found.similarity, "offset_s": round(offset, 3)}
                yield {"video_id": video["video_id"], **told}


def _videos(store: Store) -> list[dict[str, Any]]:
    """Each video that was embedded, with its units."""
    with Workspace() as work:
        put_recorded_manifest(work, store)
        for phase in phases(recorded_recipe(store).stages())[:2]:
            scan_phase(phase, work, store)
        return [row for table in work.sql(_UNITS, _SCHEMA) for row in table.to_pylist()]
