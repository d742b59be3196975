"""Damaged and deadly files in one build with healthy ones: each is a video or a reject, and none touches another."""

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.build import build
from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from tests.mutator import sources, write_mutant
from tests.pipeline.command_line import ROOT, finish, start
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import contents, small_recipe

HEALTHY = ("annotated/simpl_chrome.mp4", "short/intel_bottle-detection.mp4", "short/decord_pancake_opus.mkv")
DEADLY = {
    "segfault": "decoder_crashed",
    "leave": "decoder_crashed",
    "hang": "decoder_timeout",
    "eat_memory": "decoder_memory",
}
BROKEN_BACKEND = Path(__file__).parent / "broken_backend"
# Of all decoders, so that what lies about its length takes no more than what is honest about it.
LIMITS = [
    f"{stage}.limits={{memory_mb: 1500, stall_cpu_s: 20, stall_s: 20}}" for stage in ("download", "shard", "decode")
]
OPTIONS = [
    *LIMITS,
    "shard.max_frames=200",
    "decode.short_side=64",
    "decode.resources={cpus: 0.4, workers: [2, 2]}",
    "write_qa.absent_share=0",  # else the questions of a video depend on the annotations of two others
]
EVENTS = [
    {"start_s": 0.2, "end_s": 1.2, "text": "the dog runs across the yard"},
    {"start_s": 1.5, "end_s": 2.5, "text": "a bottle falls from the table"},
]
BY_VIDEO = ("videos", "segments", "shots", "events", "qa", "selections")
PLACE = "exclude (shard, shard_sha256, shard_bytes, qa_offset, tokens_offset, clips_offset)"


def write_manifest(path: Path, files: dict[str, Path]) -> Path:
    path.write_text("".join(json.dumps({"id": n, "uri": str(f), "events": EVENTS}) + "\n" for n, f in files.items()))
    return path


def ask(corpus: Path, sql: str) -> list[tuple]:
    with open_catalog(str(corpus)) as catalog:
        return catalog.sql(sql).fetchall()


def outputs(corpus: Path, names: tuple[str, ...]) -> dict[str, object]:
    """All that a corpus holds of these videos in tables and shards, but where in a shard it lies."""
    ids = tuple(video_id for (video_id,) in ask(corpus, f"select video_id from videos where name in {names}"))
    found: dict[str, object] = {}
    for table in BY_VIDEO:
        found[table] = ask(corpus, f"select * from {table} where video_id in {ids} order by all")
    found["samples"] = ask(corpus, f"select * {PLACE} from samples where video_id in {ids} order by all")
    for shard in sorted(corpus.glob("shards/*/*.tar")):
        with tarfile.open(shard) as tar:
            found |= {m.name: tar.extractfile(m).read() for m in tar if m.name.startswith(ids)}
    return found


def units(corpus: Path) -> dict[str, str]:
    """Unit files of single videos and their segments."""
    single = {name for name, stage in small_recipe().stages().items() if stage.kind in ("video", "segment")}
    return {path: digest for path, digest in contents(corpus / "units").items() if path.split("/")[0] in single}


@pytest.fixture(scope="module")
def healthy(videos, tmp_path_factory):
    """The healthy files, and a corpus of them alone."""
    folder = tmp_path_factory.mktemp("healthy")
    files = {name: videos / name for name in HEALTHY}
    manifest = write_manifest(folder / "manifest.jsonl", files)
    build_here(manifest, folder / "corpus")
    return files, folder / "corpus"


def build_here(manifest: Path, corpus: Path) -> None:
    with in_process(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(BROKEN_BACKEND), str(ROOT)]))  # of the decoders' processes
        summary = build(manifest, str(corpus), small_recipe(*OPTIONS), say=lambda line: None)
    assert summary.failures == []


def build_on_ray(manifest: Path, corpus: Path) -> None:
    finish(start(manifest, corpus, *OPTIONS, python_path=BROKEN_BACKEND), timeout_s=3000)


def build_among(others: dict[str, Path], healthy, folder: Path, build_corpus: Callable[[Path, Path], None]) -> Path:
    """A corpus of the healthy files and others, whose decoders break at files of DEADLY's names."""
    files, alone = healthy
    # Some before and some after, in the order of the manifest and of the ids alike.
    names = sorted([*files, *others])
    manifest = write_manifest(folder / "manifest.jsonl", {name: {**files, **others}[name] for name in names})
    corpus = folder / "corpus"
    build_corpus(manifest, corpus)
    named = ask(corpus, "select name from videos union all select name from rejects where kind = 'video' order by 1")
    assert [name for (name,) in named] == names
    assert outputs(corpus, HEALTHY) == outputs(alone, HEALTHY)
    assert units(alone).items() <= units(corpus).items()
    assert verify(str(corpus)).problems == []
    return corpus


def mutants(videos: Path, folder: Path, seeds: range) -> dict[str, Path]:
    # Copies of a healthy file would be its duplicates.
    files = [path for path in sources(videos) if path not in {videos / name for name in HEALTHY}]
    return {f"mutant-{seed}": write_mutant(folder, files, seed) for seed in seeds}


@pytest.mark.slow
def test_damaged_and_deadly_files_touch_no_other(videos, healthy, tmp_path):
    deadly = {name: tmp_path / f"{name}.mp4" for name in DEADLY}
    for number, path in enumerate(deadly.values()):
        # A byte behind the last box, so that no two are the same file.
        path.write_bytes((videos / "annotated/nasa_13013.mp4").read_bytes() + bytes([number]))
    corpus = build_among({**mutants(videos, tmp_path, range(12)), **deadly}, healthy, tmp_path, build_here)
    rejects = ask(corpus, "select name, reason from rejects where kind = 'video' and name not like 'mutant%'")
    assert dict(rejects) == DEADLY
    kept = ask(corpus, "select count(*) from videos where name like 'mutant%'")[0][0]
    assert 2 < kept < 12


@pytest.mark.ray
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_five_hundred_damaged_files_and_all_odd_ones(videos, healthy, tmp_path):
    odd = {f"odd/{path.name}": path for path in (videos / "odd").iterdir()}
    corpus = build_among({**mutants(videos, tmp_path, range(1000, 1520)), **odd}, healthy, tmp_path, build_on_ray)
    print(ask(corpus, "select reason, count(*) from rejects where kind = 'video' group by 1"))
