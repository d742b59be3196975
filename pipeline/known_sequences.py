"""Videos of two corpora that show the same for a while: from their embeddings and thumbnails, second by second."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa

from pipeline.inputs.recipe import recorded_recipe
from pipeline.phases import phases
from pipeline.plan import put_recorded_manifest, scan_phase
from pipeline.tables.workspace import Workspace
from schemas.config import ConfigError
from stages.find_duplicates import FindDuplicatesConfig, Seconds, read_seconds
from workers.fetch.redaction import redacted
from workers.shots.sequence_search import LEAST_S, Windows, search, windows_of
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


def sequences_in_common(
    store: Store, other: Store, say: Callable[[str], None] = lambda line: None
) -> Iterator[dict[str, Any]]:
    """Columns of CONTAMINATION of each video of a corpus that shows a part of one of another corpus.

    Both must have their units. Raises ConfigError where their towers differ.
    """
    towers = [recorded_recipe(each).embed.tower for each in (store, other)]
    if towers[0] != towers[1]:
        raise ConfigError(
            f"{redacted(other.root)}: was embedded by {towers[1].model}, {redacted(store.root)} by {towers[0].model}: "
            "build the benchmark's corpus with the same embed.tower"
        )
    config = recorded_recipe(store).stages()["find_duplicates"].config
    assert isinstance(config, FindDuplicatesConfig)
    own, known = embedded_videos(store), embedded_videos(other)
    unknown: list[str] = []
    for start in range(0, len(known), _KNOWN_VIDEOS):
        part = known[start : start + _KNOWN_VIDEOS]
        seconds = [read_seconds(video, other) for video in part]
        windows = windows_of([s.descriptors_ND for s in seconds], still=config.still)
        unknown += [video["name"] for number, video in enumerate(part) if not windows.is_known(number)]
        for video in own:
            mine = read_seconds(video, store)
            for number, similarity, offset in _common(windows, seconds, mine, config):
                offset_s = round(offset + mine.start_s - seconds[number].start_s, 3)
                told = {"found": part[number]["name"], "score": similarity, "offset_s": offset_s}
                yield {"video_id": video["video_id"], **told}
    if unknown:
        say(
            f"{len(unknown)} videos of the benchmark show something for less than {LEAST_S} s and were compared by "
            f"name and file only, such as {unknown[0]}"
        )


def _common(
    windows: Windows, known: list[Seconds], mine: Seconds, config: FindDuplicatesConfig
) -> Iterator[tuple[int, float, float]]:
    """Known videos that have something in common with one video: number, similarity, offset."""
    look = partial(search, agree=AGREE, still_agree=config.still_agreement)
    found = {f.owner: (f.similarity, f.offset_s) for f in look(windows, mine.descriptors_ND)}
    own = windows_of([mine.descriptors_ND], still=config.still)
    if own.looks:  # it is short or still, and may be a part of a longer one
        for number in {*range(len(known))} - {*found}:
            for f in look(own, known[number].descriptors_ND):
                found[number] = f.similarity, -f.offset_s
    for number, (similarity, offset) in sorted(found.items()):
        yield number, similarity, offset


def embedded_videos(store: Store) -> list[dict[str, Any]]:
    """Each video of a corpus that was embedded: `video_id`, `name` and its units."""
    with Workspace() as work:
        put_recorded_manifest(work, store)
        for phase in phases(recorded_recipe(store).stages())[:2]:
            scan_phase(phase, work, store)
        return [row for table in work.sql(_UNITS, _SCHEMA) for row in table.to_pylist()]
