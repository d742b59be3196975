"""The share of keyframe selection (DKS) in what a video costs: CPU seconds, against decoding and embedding its frames.

    python -m benchmarks.selection_share [FILE ...]

Without files: the long real videos beside the checkout. A frame per second, the demo tower (a smaller one than anybody
would use, so the share with another is less), 32 questions, 32 keyframes, all on one thread.
"""

import sys
from pathlib import Path

import torch

from benchmarks._measure import at_most, cpu_seconds, report
from benchmarks.ingest import VIDEOS, ours, plan
from model.ops.dks.keyframes import select_keyframes
from pipeline.inputs.recipe import load_recipe
from workers.towers.query_embedder import load_tower

QUESTIONS, K, BATCH = 32, 32, 32
FIGURE = "DKS / (decoding + embedding), CPU seconds"


def share(path: Path) -> tuple[float, float]:
    """CPU seconds of the selection, and of decoding and embedding."""
    tower = load_tower(load_recipe("demo").embed.tower)
    start = cpu_seconds()
    frames = [tower.fit(torch.from_numpy(rgb).permute(2, 0, 1)) for rgb in ours(path, plan(path))]
    images = torch.cat([tower.embed_images(torch.stack(batch)) for batch in _batches(frames)])
    embedded = cpu_seconds()
    queries = torch.randn(QUESTIONS, images.shape[1], generator=torch.Generator().manual_seed(0))
    select_keyframes(images, queries, k=K)
    return cpu_seconds() - embedded, embedded - start


def _batches(frames: list[torch.Tensor]) -> list[list[torch.Tensor]]:
    return [frames[start : start + BATCH] for start in range(0, len(frames), BATCH)]


def main(paths: list[Path]) -> None:
    if not paths:
        report(FIGURE, None, "%", "<= 1", None, why=f"no videos in {VIDEOS}")
        return
    seconds = [share(path) for path in paths]
    selecting, rest = (sum(column) for column in zip(*seconds, strict=True))
    at_most(FIGURE, 100 * selecting / rest, "%", 1, files=len(paths))


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(p for p in VIDEOS.glob("*") if p.suffix in (".mp4", ".mkv")))
