"""Finds the stages whose units in a corpus were made by an earlier version of them, as after an upgrade of longvid."""

from collections.abc import Mapping
from dataclasses import replace

from schemas.stage import Stage
from workers.storage.store import Store


def as_built(stages: Mapping[str, Stage], store: Store) -> dict[str, Stage]:
    """Returns the stages with the versions that a corpus has units of; those of other settings are left out.

    Args:
        stages: stages of the recipe that the corpus was built with.
        store: of the corpus.
    """
    found = {name: _as_built(stage, store) for name, stage in stages.items()}
    return {name: stage for name, stage in found.items() if stage is not None}


def _as_built(stage: Stage, store: Store) -> Stage | None:
    if store.has_folder(stage.folder) or not store.has_folder(f"units/{stage.name}"):
        return stage
    earlier = (replace(stage, version=version) for version in range(stage.version - 1, 0, -1))
    return next((each for each in earlier if store.has_folder(each.folder)), None)
