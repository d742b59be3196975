"""Videos of two corpora that show the same for a while: from their embeddings and thumbnails, second by second."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from pipeline.inputs.recipe import recorded_recipe
from pipeline.phases import phases
from pipeline.plan import put_recorded_manifest, scan_phase
from pipeline.tables.frames import FRAMES, published_seconds, published_tower, tower_name
from pipeline.tables.published import is_published_only
from pipeline.tables.workspace import Workspace
from schemas.config import ConfigError
from stages.find_duplicates import FindDuplicatesConfig, Seconds, read_shifts
from workers.fetch.redaction import redacted
from workers.shots.sequence_search import search
from workers.shots.sequence_windows import LEAST_S, Windows, windows_of
from workers.storage.store import Store

AGREE = 0.55
"""Correlation of the changes in windows of a few seconds that counts as found."""
_UNITS = """
    select distinct s.video_id, s.name, find_shots_unit, embed_units from find_shots s where s.reject is null
    order by s.video_id"""
_KNOWN_VIDEOS = 50  # of the benchmark, searched for at once
_SHORT_S = 60


def sequences_in_common(
    store: Store, other: Store, say: Callable[[str], None] = lambda line: None
) -> Iterator[dict[str, Any]]:
    """Returns columns of CONTAMINATION for each video that shows a part of a video of another corpus.

    Both must have their units or the table `frames`. Raises ConfigError where their towers differ.
    """
    require_tower(store, _tower(other), redacted(other.root), "build the benchmark's corpus with the same embed.tower")
    config = FindDuplicatesConfig() if is_published_only(store) else _find_duplicates(store)
    own, known = _shown(store), _shown(other)()
    unknown: list[str] = []
    while part := list(islice(known, _KNOWN_VIDEOS)):
        shifted = [(number, seconds) for number, (_, shifts) in enumerate(part) for seconds in shifts]
        windows = windows_of([seconds.descriptors_ND for _, seconds in shifted], still=config.still)
        compared = {number for owner, (number, _) in enumerate(shifted) if windows.is_known(owner)}
        unknown += [video["name"] for number, (video, _) in enumerate(part) if number not in compared]
        width = next((seconds.descriptors_ND.shape[1] for _, seconds in shifted if len(seconds)), 0)
        for video, shifts in own():
            if width and len(shifts[0]) and shifts[0].descriptors_ND.shape[1] != width:
                raise ConfigError(f"{redacted(other.root)}: its embeddings have another length: {width}")
            for number, (similarity, offset_s) in _common(windows, shifted, shifts, config).items():
                told = {"found": part[number][0]["name"], "score": similarity, "offset_s": round(offset_s, 3)}
                yield {"video_id": video["video_id"], **told}
    if unknown:
        say(
            f"{len(unknown)} videos of the benchmark show something for less than {LEAST_S} s and were compared by "
            f"name and file only, such as {unknown[0]}"
        )


def has_frames(store: Store) -> bool:
    """Returns whether a corpus tells what its frames show: by its units, or by the table `frames`."""
    return store.exists(FRAMES) or not is_published_only(store)


def require_tower(store: Store, tower: str, what: str, remedy: str) -> None:
    """Raises ConfigError if the frames of a corpus were embedded by another tower than that of `what`."""
    if tower != (own := _tower(store)):
        raise ConfigError(f"{what}: embedded by {tower}, and {redacted(store.root)} by {own}: {remedy}")


def _tower(store: Store) -> str:
    return published_tower(store) if is_published_only(store) else tower_name(recorded_recipe(store).embed.tower)


def _find_duplicates(store: Store) -> FindDuplicatesConfig:
    config = recorded_recipe(store).stages()["find_duplicates"].config
    assert isinstance(config, FindDuplicatesConfig)
    return config


def _shown(store: Store) -> Callable[[], Iterator[tuple[dict[str, Any], list[Seconds]]]]:
    """Returns a function that reads the videos of a corpus with their descriptors, each time anew."""
    if not is_published_only(store):
        videos = embedded_videos(store)
        return lambda: ((video, read_shifts(video, store)) for video in videos)
    columns = store.read_table("tables/videos.parquet", ["video_id", "name"]).to_pylist()
    names = {row["video_id"]: row["name"] for row in columns}
    return lambda: (
        ({"video_id": video_id, "name": names[video_id]}, shifts)
        for video_id, shifts in published_seconds(store)
        if video_id in names  # a later stage may have rejected it
    )


def _common(
    windows: Windows, known: Sequence[tuple[int, Seconds]], mine: Sequence[Seconds], config: FindDuplicatesConfig
) -> dict[int, tuple[float, float]]:
    """By number of a known video: its similarity to one video, and the offset in seconds.

    Args:
        windows: of `known`.
        known: numbers of videos, and their seconds from one start or several.
        mine: one video, the same.
        config: what is still.
    """
    look = partial(search, agree=AGREE, still_agree=config.still_agreement)
    found: dict[int, tuple[float, float]] = {}

    def note(number: int, similarity: float, offset_s: float) -> None:
        if number not in found or similarity > found[number][0]:
            found[number] = similarity, offset_s

    for each in mine:
        for f in look(windows, each.descriptors_ND):
            number, theirs = known[f.owner]
            note(number, f.similarity, f.offset_s + each.start_s - theirs.start_s)
    own = windows_of([each.descriptors_ND for each in mine], still=config.still)
    if own.looks or len(mine[0]) <= _SHORT_S:  # it may be a part of a longer one
        rest = [(number, theirs) for number, theirs in known if number not in found]
        for number, theirs in rest:
            for f in look(own, theirs.descriptors_ND):
                each = mine[f.owner]
                note(number, f.similarity, each.start_s - theirs.start_s - f.offset_s)
    return dict(sorted(found.items()))


def embedded_videos(store: Store) -> list[dict[str, Any]]:
    """Returns `video_id`, `name` and the units of each embedded video of a corpus."""
    with Workspace() as work:
        put_recorded_manifest(work, store)
        for phase in phases(recorded_recipe(store).stages())[:2]:
            scan_phase(phase, work, store)
        return [*work.rows(_UNITS)]
