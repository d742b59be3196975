"""Recipes: the configs of all stages, read from YAML and overridden from the command line."""

import warnings
from pathlib import Path
from typing import Any

from pydantic import Field, create_model

from model.towers.source import LOCAL, weights_files
from pipeline.inputs.yaml_text import YamlError, load_yaml
from pipeline.phases import PHASES, declare_stages
from pipeline.tables.corpus_file import damaged, read_corpus_file
from pipeline.training.config import TrainConfig
from schemas.config import Config, ConfigError, parse
from schemas.renamed_settings import RENAMED, rename_settings
from schemas.stage import Stage
from stages.annotate import AnnotateConfig
from stages.audit_qa import AuditQaConfig
from stages.distill import DistillConfig
from stages.download import DownloadConfig
from stages.embed import EmbedConfig
from stages.select import SelectConfig
from stages.shard import ShardConfig
from stages.write_qa import WriteQaConfig
from workers.endpoint.config import EndpointConfig
from workers.fetch.access import Access
from workers.fetch.redaction import redacted
from workers.storage.store import Store
from workers.towers.text_encoder import CLIP

RECIPES = Path(__file__).parent / "recipes"


# A section for each stage of the list. `group` reads those fields of `pack` that it knows.
_SECTIONS: dict[str, Any] = {
    stage.name: (stage.config, stage.config()) for phase in PHASES for stage in phase.stages if not stage.section
}
_Sections: Any = create_model("_Sections", __base__=Config, **_SECTIONS)


class Recipe(_Sections):
    """Holds the settings of a build: one section per stage, and those below."""

    # Sections that code accesses by name.
    download: DownloadConfig = DownloadConfig()
    shard: ShardConfig = ShardConfig()
    embed: EmbedConfig = EmbedConfig()
    annotate: AnnotateConfig = AnnotateConfig()
    write_qa: WriteQaConfig = WriteQaConfig()
    audit_qa: AuditQaConfig = AuditQaConfig()
    select: SelectConfig = SelectConfig()
    distill: DistillConfig = DistillConfig()
    train: TrainConfig = TrainConfig()
    max_crashes: int = Field(5, ge=1)
    """A unit whose worker's process crashed this often within one build is rejected."""

    def check_models(self) -> None:
        """Raises ConfigError if models are used but the settings of the endpoint are incomplete."""
        asked, endpoint = self.annotate.annotators, self.annotate.endpoint
        if "caption" in asked or self.write_qa.realizer == "llm":
            endpoint.check("model")
        if "transcribe" in asked:
            endpoint.check("speech_model")

    def weights_files(self) -> list[str]:
        """Returns the paths of folders and files of local towers and encoders, which units depend on."""
        named = [(tower.model, tower.pretrained) for tower in (self.embed.tower, self.distill.tower)]
        if self.write_qa.text_model not in ("", CLIP):
            named.append((LOCAL + self.write_qa.text_model, ""))
        return sorted({str(path) for model, pretrained in named for path in weights_files(model, pretrained)})

    def stages(self, access: Access | None = None) -> dict[str, Stage]:
        """Returns all stages by name, in order. Without `access`, they open no address of a manifest."""
        return declare_stages(dict(self), access)


def load_recipe(name: str, overrides: list[str] | None = None) -> Recipe:
    """Loads a recipe by name (`demo`, `longvid`) or path of a YAML file, with overrides (`embed.batch_frames=64`).

    A file may have any suffix; the name of a recipe stands for the recipe, also beside a file that is called so.

    Raises ConfigError that names the field, the value and the remedy.
    """
    recipes = {path.stem: path for path in sorted(RECIPES.glob("*.yaml"))}
    path = recipes.get(name, Path(name))
    if not path.is_file():
        what = "is a folder, no recipe" if path.is_dir() else "no such recipe or file"
        raise ConfigError(f"recipe = {name!r}: {what}. Use one of {', '.join(recipes)}, or the path of a YAML file.")
    try:
        values = load_yaml(path.read_text(encoding="utf-8")) or {}
    except UnicodeDecodeError as error:
        raise ConfigError(f"recipe = {name!r}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from None
    except YamlError as error:
        raise ConfigError(f"recipe = {name!r}: not YAML: {error}. Correct the file.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"recipe = {name!r}: is a {type(values).__name__}. Write a mapping of stage names to fields.")
    return _parse(values, overrides)


def recorded_recipe(store: Store) -> Recipe:
    """Returns the recipe of the last build of a corpus.

    Raises NotBuilt, OtherFormat, or ConfigError if corpus.json is damaged.
    """
    found = read_corpus_file(store)
    try:
        return _one_endpoint(parse(Recipe, rename_settings(found["recipe"])[0], is_recorded=True))
    except ConfigError as error:
        raise ConfigError(f"{redacted(store.root)}/corpus.json: the recipe cannot be used: {error}") from None
    except (AttributeError, KeyError, TypeError):
        raise damaged(store) from None


def override(recipe: Recipe, overrides: list[str] | None) -> Recipe:
    """Returns the recipe of a corpus with some fields changed."""
    return _parse(recipe.model_dump(mode="json"), overrides, is_recorded=True)


def _parse(values: dict[str, Any], overrides: list[str] | None, *, is_recorded: bool = False) -> Recipe:
    values, notes = rename_settings(values)
    for text in overrides or []:
        _set(values, text)
    values, more = rename_settings(values)
    for note in [*notes, *more]:
        warnings.warn(note, FutureWarning, stacklevel=3)
    recipe = parse(Recipe, values, is_recorded=is_recorded)
    if recipe.write_qa.clips == "windows" and recipe.distill.hico:
        raise ConfigError("write_qa.clips = windows: clip tokens exist for whole videos only. Set distill.hico=false.")
    return _one_endpoint(_one_tower_for_both(recipe))


def _one_endpoint(recipe: Recipe) -> Recipe:
    """Gives all stages that ask models the endpoint of `annotate`."""
    sections = {name: getattr(recipe, name) for name in ("transcribe", "caption", "merge_captions", "write_qa")}
    for name, section in sections.items():
        if section.endpoint != EndpointConfig():
            raise ConfigError(f"{name}.endpoint: cannot be set; set annotate.endpoint, which all stages use.")
        sections[name] = section.model_copy(update={"endpoint": recipe.annotate.endpoint})
    return recipe.model_copy(update=sections)


def _one_tower_for_both(recipe: Recipe) -> Recipe:
    """Gives `write_qa` the towers of the frames, since embeddings of two towers cannot be compared."""
    towers = {"select_tower": recipe.embed.tower, "merge_tower": recipe.distill.tower}
    for name, step in (("select_tower", "embed"), ("merge_tower", "distill")):
        if getattr(recipe.write_qa, name) not in (getattr(WriteQaConfig(), name), towers[name]):
            raise ConfigError(f"write_qa.{name}: cannot be set; set {step}.tower, which embeds frames and questions.")
    return recipe.model_copy(update={"write_qa": recipe.write_qa.model_copy(update=towers)})


def _set(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r}: not of the form field=value, such as --set embed.batch_frames=64")
    key = key.strip()
    if key in RENAMED:
        warnings.warn(f"{key} is called {RENAMED[key]} now", FutureWarning, stacklevel=4)
    *parents, last = RENAMED.get(key, key).split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {override!r}: {parent!r} is not a group of fields. Remove the part after it.")
    try:
        values[last] = load_yaml(text)
    except YamlError as error:
        raise ConfigError(f"--set {override!r}: the value is not YAML: {error}. Put it in quotes.") from None


def changed_fields(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """Returns the fields that differ between two dumped recipes, as "select.tau: 0.85 -> 0.9", without `resources`."""
    lines = []
    for key in sorted({*old, *new} - {"resources"}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            lines += changed_fields(before, after, f"{prefix}{key}.")
        elif before != after:
            lines.append(f"{prefix}{key}: {before} -> {after}")
    return lines
