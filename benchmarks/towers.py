"""What the visual stages cost beside the towers themselves, on one CPU thread, with a small tower of random weights.

Prints JSON lines: our preprocessing against open_clip's by way of PIL; the tower's forward pass against open_clip's
model, which multiplies with MKL; frames per second through the whole of embed against the bare tower; the same for
distill with 24 questions against bare patch features; and the memory that distill takes for each further 1,000 frames,
beyond the tensors it returns (patch features alone would be 196 MB), from where the allocator has all it needs for one
batch.
Run: `python -m benchmarks.towers`.
"""

import io
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import open_clip
import pyarrow as pa
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from benchmarks._measure import against, seconds_in_turns
from benchmarks._memory import own_peak_mb
from benchmarks._tiny_towers import save_tower, write_frames, write_questions
from schemas.config import TowerConfig
from schemas.tables.shards import SELECTION
from stages.distill import DistillConfig, Distiller
from stages.embed import EmbedConfig
from workers.storage.store import Store
from workers.towers.clip_embedder import ClipEmbedder
from workers.towers.frame_batches import frame_batches
from workers.towers.query_embedder import load_tower

TOWER = {"layers": 6, "width": 192, "head_width": 64, "patch_size": 16, "image_size": 256}
QUESTIONS, KEYFRAMES, BATCH, SIZE = 24, 8, 32, (384, 682)
UNIT = {"video_id": "v", "decode_units": ["d"], "decode_unit": "d", "write_qa_unit": "qa", "select_unit": "sel"}


def prepare(folder: Path, frames: int) -> tuple[Store, TowerConfig]:
    """A corpus of one video with questions whose keyframes are spread over it."""
    store, tower = Store(folder), TowerConfig(model=save_tower(folder / "tower", TOWER))
    write_frames(store, "d", [i % 40 for i in range(frames)], size=SIZE)
    random = np.random.default_rng(0)
    queries = random.normal(size=(QUESTIONS, 64))
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    write_questions(store, "qa", queries, queries)
    chosen = [sorted(random.choice(frames, KEYFRAMES, replace=False).tolist()) for _ in range(QUESTIONS)]
    rows = [{"video_id": "v", "qa_id": f"q{i}", "keyframes": row} for i, row in enumerate(chosen)]
    store.write_tables("sel", [pa.Table.from_pylist(rows, SELECTION)], SELECTION)
    return store, tower


def speeds(frames: int = 2 * BATCH) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, config = prepare(Path(folder), frames)
        tower, plain = load_tower(config), open_clip.create_model(config.model, require_pretrained=True).eval()
        jpegs = store.read_table("d", ["jpeg"])["jpeg"].to_pylist()
        by_pil = image_transform_v2(PreprocessCfg(size=256), is_train=False)
        batches = partial(frame_batches, store, ["d"], tower.fit, batch=BATCH, threads=1)
        pixels = [b.pixels for b in batches()]
        embed = ClipEmbedder(EmbedConfig(tower=config, batch_frames=BATCH), store)
        distill = Distiller(
            DistillConfig(tower=config, batch_frames=BATCH, hico=True, clip_heads=3, keyframe_grid=8), store
        )
        normalised = [tower._preprocess.normalise(p) for p in pixels]
        ours, pil, plain_embedding, embedding, bare_embedding, distilling, bare_patches = seconds_in_turns(
            lambda: [
                tower._preprocess.normalise(b.pixels)
                for b in frame_batches(store, ["d"], tower.fit, batch=BATCH, threads=1)
            ],
            lambda: torch.stack([by_pil(Image.open(io.BytesIO(jpeg))) for jpeg in jpegs]),
            torch.inference_mode()(lambda: [plain.encode_image(p) for p in normalised]),
            lambda: list(embed(UNIT)),
            lambda: [tower.embed_images(p) for p in pixels],
            lambda: distill(UNIT),
            lambda: [tower.encode_patches(p) for p in pixels],
        )
    against("preprocess_speedup_over_pil", pil / ours, "ratio", 1.5)
    against("tower_speedup_over_open_clip", plain_embedding / bare_embedding, "ratio", 1.0)
    against("embed_frames_per_s", frames / embedding, "frames/s")
    against("embed_share_of_bare_tower", bare_embedding / embedding, "ratio", 0.8)
    against("distill_frames_per_s", frames / distilling, "frames/s")
    against("distill_share_of_bare_patches", bare_patches / distilling, "ratio", 0.7)


def memory_of(folder: Path) -> None:
    """Prints megabytes at the peak, less the tensors returned, of a process that only distills."""
    config = TowerConfig(model=f"local-dir:{folder / 'tower'}")
    settings = DistillConfig(tower=config, batch_frames=BATCH, hico=True, clip_heads=3, keyframe_grid=8)
    arrays = Distiller(settings, Store(folder))(UNIT)
    print(own_peak_mb() - sum(a.nbytes for a in arrays.values()) / 2**20)


def memory(few: int = 1000, many: int = 3000) -> None:
    peaks = []
    for frames in (few, many):
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), frames)
            command = [sys.executable, "-m", "benchmarks.towers", "--memory", folder]
            peaks.append(float(subprocess.check_output(command, text=True).split()[-1]))
    against("distill_memory_per_1000_frames", (peaks[1] - peaks[0]) / (many - few) * 1000, "MB", 80, "most")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        memory_of(Path(sys.argv[2]))
    else:
        speeds()
        memory()
