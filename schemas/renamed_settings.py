"""Settings that were renamed. Their former names keep working in recipes, in `--set`, in corpora and in checkpoints."""

from typing import Any

from schemas.config import ConfigError

RENAMED = {
    "max_deaths": "max_crashes",
    "find_shots.leaning": "find_shots.embedding_assist_ratio",
    "find_shots.noise_steps": "find_shots.noise_window",
    "find_shots.kept_share": "find_shots.static_ratio",
    "train.model.thinning": "train.model.subsampling",
}
"""Former name to current name, both as dotted paths in a recipe."""

RENAMED_VALUES = {"train.model.subsampling": {"runs": "clusters"}}
"""Current name of a setting to its former values and what replaces each."""


def rename_settings(values: dict[str, Any], prefix: str = "") -> tuple[dict[str, Any], list[str]]:
    """Replaces former names of settings by their current names.

    Args:
        values: nested settings.
        prefix: dotted path of `values` in a recipe, with the dot at its end.

    Returns:
        The settings under their current names, and one note per setting that was renamed.

    Raises:
        ConfigError: a setting is given under both names.
    """
    renamed: dict[str, Any] = {}
    notes: list[str] = []
    for key, value in values.items():
        path, name = f"{prefix}{key}", key
        if path in RENAMED:
            notes.append(f"{path} is called {RENAMED[path]} now")
            path = RENAMED[path]
            name = path.rpartition(".")[2]
            if name in values:
                raise ConfigError(f"{prefix}{key}: the former name of {path}, which is set as well. Remove one of them")
        if isinstance(value, dict):
            value, more = rename_settings(value, f"{path}.")
            notes += more
        elif isinstance(value, str):
            value = RENAMED_VALUES.get(path, {}).get(value, value)
        renamed[name] = value
    return renamed, notes
