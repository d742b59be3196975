"""GPU workers: embed and distill against the bare tower on the same GPU, and NVDEC against decoding on the CPU.

    python -m benchmarks.gpu_workers [--frames N]

Towers have random weights of their real sizes, in bf16. Frames per second of a worker, JPEG decoding on 8 threads
included, over those of the tower alone on frames that are on the GPU already. Without a GPU, every figure is reported
as unmeasured, and the same code runs once with a tiny tower on the CPU, so that it does not rot.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pyarrow as pa
import torch

from benchmarks._measure import at_least, report, seconds_in_turns
from benchmarks._tiny_towers import save_tower, write_frames, write_questions
from benchmarks.ingest import VIDEOS, plan
from schemas.config import Resources, TowerConfig
from schemas.rejects import Reject
from schemas.tables.shards import SELECTION
from stages.distill import DistillConfig, Distiller
from stages.embed import EmbedConfig
from workers.media.frame_decoder import sample_frames
from workers.storage.store import Store
from workers.towers.clip_embedder import ClipEmbedder
from workers.towers.frame_batches import frame_batches
from workers.towers.query_embedder import load_tower

TOWERS = {"ViT-B-32": 256, "ViT-SO400M-14-SigLIP-384": 32}  # frames per batch
TINY = {"layers": 2, "width": 64, "head_width": 32, "patch_size": 16, "image_size": 64}
QUESTIONS, KEYFRAMES, BAR = 24, 32, 0.9
UNIT = {"video_id": "v", "decode_units": ["d"], "decode_unit": "d", "write_qa_unit": "qa", "select_unit": "sel"}


def tower_of(name: str, folder: Path) -> TowerConfig:
    """The architecture with random weights, or a tiny one without a GPU."""
    config = open_clip.get_model_config(name)
    vision = config["vision_cfg"] if torch.cuda.is_available() else TINY
    model = save_tower(folder / name, vision, embed_dim=config["embed_dim"])
    return TowerConfig(model=model, precision="bf16")


def prepare(folder: Path, frames: int, width: int) -> Store:
    """A corpus of one video of 16:9, with questions whose keyframes are spread over it."""
    store, random = Store(folder), np.random.default_rng(0)
    write_frames(store, "d", [i % 40 for i in range(frames)], size=(384, 682))
    queries = random.normal(size=(QUESTIONS, width))
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    write_questions(store, "qa", queries, queries)
    chosen = [sorted(random.choice(frames, min(KEYFRAMES, frames), replace=False).tolist()) for _ in range(QUESTIONS)]
    rows = [{"video_id": "v", "qa_id": f"q{i}", "keyframes": row} for i, row in enumerate(chosen)]
    store.write_tables("sel", [pa.Table.from_pylist(rows, SELECTION)], SELECTION)
    return store


def towers(name: str, batch: int, frames: int) -> None:
    """Reports embed and distill with one architecture."""
    on_gpu = torch.cuda.is_available()
    resources = Resources(cpus=8, gpus=1 if on_gpu else 0)
    with tempfile.TemporaryDirectory() as folder:
        config = tower_of(name, Path(folder))
        tower = load_tower(config, "cuda" if on_gpu else "cpu")
        store = prepare(Path(folder), frames, tower.embed_dim)
        pixels = [b.pixels.to(tower.device) for b in frame_batches(store, ["d"], tower.fit, batch=batch, threads=8)]
        settings: dict[str, Any] = {"tower": config, "batch_frames": batch, "resources": resources}
        embed, distill = ClipEmbedder(EmbedConfig(**settings), store), Distiller(DistillConfig(**settings), store)
        runs: list[Callable[[], Any]] = [
            lambda: list(embed(UNIT)),
            lambda: [tower.embed_images(p) for p in pixels],
            lambda: distill(UNIT),
            lambda: [tower.encode_patches(p) for p in pixels],
        ]
        for run in runs:
            run()
        embedding, bare_embedding, distilling, bare_patches = seconds_in_turns(*runs)
    figures = {"embed": (embedding, bare_embedding), "distill": (distilling, bare_patches)}
    for stage, (ours, bare) in figures.items():
        figure = f"{stage} with {name}: frames per second / bare tower"
        if on_gpu:
            at_least(figure, bare / ours, "ratio", BAR, frames_per_s=frames / ours)
        else:
            unmeasured(figure, f">= {BAR}")


def unmeasured(figure: str, bar: str | None) -> None:
    report(figure, None, "ratio", bar, None, why="no GPU here")


def nvdec() -> None:
    """Reports sampling one frame per second of the long videos by NVDEC against the CPU's decoders, one thread each."""
    figure = "NVDEC: seconds on one CPU thread / seconds on the GPU"
    if not torch.cuda.is_available():
        return unmeasured(figure, None)
    paths = [path for path in sorted(VIDEOS.glob("*")) if path.suffix in (".mp4", ".mkv")]
    seconds = dict.fromkeys(("cpu", "cuda"), 0.0)
    for path in paths:
        segments = plan(path)
        for device in seconds:
            start = time.perf_counter()
            try:
                for segment in segments:
                    for _ in sample_frames(path, segment, short_side=384, device=device):
                        pass
            except (ImportError, Reject) as error:
                report(f"{figure}, {path.name}", None, "ratio", None, None, why=f"{error}"[:100])
                return None
            seconds[device] += time.perf_counter() - start
    report(figure, seconds["cpu"] / seconds["cuda"], "ratio", None, None, files=len(paths))
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2048 if torch.cuda.is_available() else 64)
    given = parser.parse_args()
    for architecture, batch_frames in TOWERS.items():
        towers(architecture, batch_frames, given.frames)
    nvdec()
