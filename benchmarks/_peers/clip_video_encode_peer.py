"""clip-video-encode: one call for the files of one frame rate, since it takes every n-th frame.

It fetches weights by itself and holds the size, the mean and the deviation of CLIP at 224; all are set to the tower's.
"""

import sys
from collections import defaultdict
from pathlib import Path

import clip_video_encode  # noqa: F401  the package names a function as its module, found below
import cv2
import open_clip
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from common import CONFIG, FILES, OUT, SIZE, TOWER

cve = sys.modules["clip_video_encode.clip_video_encode"]
create, normalize = open_clip.create_model, cve.Normalize


def create_model_and_transforms(name, pretrained=None, device="cpu"):
    return create(f"local-dir:{TOWER}", device=device, require_pretrained=True).eval(), None, None


cve.open_clip.create_model_and_transforms = create_model_and_transforms
cve.IMG_SIZE = SIZE
cve.Normalize = lambda mean, std: normalize(CONFIG["preprocess_cfg"]["mean"], CONFIG["preprocess_cfg"]["std"])


def main():
    torch.set_num_threads(2)
    Path(OUT).mkdir()
    by_rate = defaultdict(list)
    for path in FILES:
        by_rate[max(1, round(cv2.VideoCapture(path).get(cv2.CAP_PROP_FPS)))].append(path)
    for rate, paths in by_rate.items():
        source = f"{OUT}/list_{rate}.parquet"
        pq.write_table(pa.table({"videoLoc": paths, "videoID": [Path(path).stem for path in paths]}), source)
        workers = {"frame_workers": min(2, len(paths)), "frame_memory_size": 1}
        cve.clip_video_encode(source, OUT, output_format="files", take_every_nth=rate, **workers)


if __name__ == "__main__":
    main()
