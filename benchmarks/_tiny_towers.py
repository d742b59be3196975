"""Small towers with random weights, and units to run them on, for benchmarks and tests. Nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pyarrow as pa
import torch
from safetensors.torch import save_file
from torchvision.io import encode_jpeg

from schemas.tables.media import FRAME
from schemas.tables.qa import QA
from workers.storage.store import Store

TEXT = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}


def save_tower(folder: Path, vision: dict, *, embed_dim: int = 64, preprocess: dict | None = None, **model: Any) -> str:
    """Writes an open_clip model with random weights; gives its name for `Tower` and `TowerConfig`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"embed_dim": embed_dim, "vision_cfg": vision, "text_cfg": TEXT, **model}
    written = {"model_cfg": config, "preprocess_cfg": preprocess or {}}
    (folder / "open_clip_config.json").write_text(json.dumps(written))
    torch.manual_seed(0)
    weights = open_clip.create_model(f"local-dir:{folder}").state_dict()
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def random_frame(seed: int, height: int = 48, width: int = 80) -> torch.Tensor:
    """uint8 [3, height, width]: smooth blobs with some noise, another for each seed."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 5, generator=generator) * 255
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0]
    noise = torch.randn(3, height, width, generator=generator) * 8
    return (smooth + noise).clamp(0, 255).to(torch.uint8)


def write_frames(
    store: Store, path: str, seeds: list[int], *, first: int = 0, video: str = "v", size: tuple[int, int] = (48, 80)
) -> None:
    """A decode unit with a random frame per seed, one per second."""
    rows = [
        {
            "video_id": video,
            "segment_id": f"{video}-{path}",
            "sample_index": first + i,
            "time_s": float(first + i),
            "width": size[1],
            "height": size[0],
            "wanted": len(seeds),
            "jpeg": encode_jpeg(random_frame(seed, *size), quality=90).numpy().tobytes(),
        }
        for i, seed in enumerate(seeds)
    ]
    tables = [pa.Table.from_pylist(rows[at : at + 64], FRAME) for at in range(0, len(rows), 64)]  # as decode does
    store.write_tables(path, tables, FRAME)


def write_questions(store: Store, path: str, select: np.ndarray, merge: np.ndarray, *, video: str = "v") -> None:
    """A QA unit with one question per row of the query matrices."""
    rows = [
        {"video_id": video, "qa_id": f"q{i}", "question": f"question {i}", "select_queries": [s], "merge_query": m}
        for i, (s, m) in enumerate(zip(select.astype(np.float16), merge.astype(np.float16), strict=True))
    ]
    store.write_tables(path, [pa.Table.from_pylist(rows, QA)], QA)
