"""Small corpora for tests: rendered videos, a recipe that builds them in seconds, and what a corpus' bytes are."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.build import Summary
from pipeline.demo import write_demo
from pipeline.inputs.recipe import Recipe, load_recipe

# Short segments, so that a short video has several; two keyframes' worth of everything else.
SMALL = ["shard.segment_s=20.0", "shard.min_frames=1", "select.k=4", "distill.batch_frames=16", "embed.batch_frames=16"]


@dataclass(frozen=True)
class SmallCorpus:
    """A corpus of `small_world` that one build has made with `small_recipe`."""

    manifest: Path
    corpus: Path
    summary: Summary


def small_world(folder: Path, *, videos: int = 2, seconds: int = 60) -> Path:
    """Renders a world with one file in it that is no video; gives its manifest."""
    manifest = write_demo(folder, videos=videos, seconds=seconds, seed=11)
    (folder / "broken.mp4").write_text("this is no video")
    with manifest.open("a") as rows:
        rows.write(json.dumps({"id": "broken", "uri": "broken.mp4"}) + "\n")
    return manifest


def small_recipe(*overrides: str) -> Recipe:
    return load_recipe("demo", [*SMALL, *overrides])


def contents(corpus: Path) -> dict[str, str]:
    """Relative path to SHA-256 of every file of a corpus."""
    files = (path for path in corpus.rglob("*") if path.is_file())
    return {str(path.relative_to(corpus)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
