"""What the scripts of all peers share: arguments, the tower and its input. It runs in the environment of a peer.

They come by environment variables, which the workers of an engine inherit. LIST: a text file, one video file per line.
OUT: a new folder. TOWER: a folder of open_clip. WORK: `embed`, or `frames` for JPEG files of the native size without a
tower. All peers take the frame that is shown at the start of each second.
"""

import io
import json
import math
import os
from pathlib import Path

BATCH = 64
LIST, OUT, TOWER, WORK = (os.environ[name] for name in ("LIST", "OUT", "TOWER", "WORK"))
FILES = Path(LIST).read_text().splitlines()
CONFIG = json.loads((Path(TOWER) / "open_clip_config.json").read_text())
SIZE = CONFIG["model_cfg"]["vision_cfg"]["image_size"]


class Tower:
    """uint8 frames of SIZE x SIZE to normalised float32 vectors [N, D], on one thread."""

    def __init__(self):
        import open_clip
        import torch

        torch.set_num_threads(1)
        self.visual = open_clip.create_model(f"local-dir:{TOWER}", require_pretrained=True).eval().visual
        self.mean, self.std = (torch.tensor(CONFIG["preprocess_cfg"][k]).view(1, 3, 1, 1) for k in ("mean", "std"))

    def embed(self, frames):
        """Takes a tensor [N, 3, SIZE, SIZE] or an array [N, SIZE, SIZE, 3]."""
        import torch

        if not isinstance(frames, torch.Tensor):
            frames = torch.as_tensor(frames).permute(0, 3, 1, 2)
        with torch.inference_mode():
            pixels = frames.float().div_(255).sub_(self.mean).div_(self.std)
            return torch.nn.functional.normalize(self.visual(pixels).float(), dim=-1).numpy()


def decoder(path):
    """torchcodec on one thread; it resizes where there is a tower."""
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize

    resize = [Resize((SIZE, SIZE))] if WORK == "embed" else []
    return VideoDecoder(path, num_ffmpeg_threads=1, seek_mode="approximate", transforms=resize)


def sample_times(path):
    """One time per second of the file, counted from its first frame."""
    from torchcodec.decoders import VideoDecoder

    metadata = VideoDecoder(path, seek_mode="approximate").metadata
    begin = metadata.begin_stream_seconds or 0.0
    return [begin + second for second in range(math.ceil(metadata.end_stream_seconds - begin - 1e-6))]


def jpeg(rgb_HWC):
    """JPEG bytes of quality 90."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(rgb_HWC).save(out, "JPEG", quality=90)
    return out.getvalue()


def key(path, time_s):
    """The name of a frame in an archive."""
    return f"{Path(path).stem}_{round(time_s * 1000):08d}"
