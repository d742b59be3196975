"""HDR and BT.2020 videos of ordinary frames, by the formulas of the standards."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

PQ, HLG, BT709 = 16, 18, 1
WHITE = 203.0  # cd/m2
_TO_BT2020 = np.array([[0.627404, 0.329283, 0.043313], [0.069097, 0.919540, 0.011362], [0.016391, 0.088013, 0.895595]])


def code_values(rgb: np.ndarray, transfer: int) -> np.ndarray:
    """R'G'B' 0 .. 1 of BT.2020 that shows an R'G'B' uint8 of BT.709, white at 203 cd/m2 where it is HDR."""
    light = (rgb / 255.0) ** 2.4 @ _TO_BT2020.T
    if transfer == PQ:
        power = (light * WHITE / 10_000) ** (2610 / 16384)
        c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
        return ((c1 + c2 * power) / (1 + c3 * power)) ** (2523 / 4096 * 128)
    if transfer == HLG:
        luma = np.maximum(light @ [0.2627, 0.6780, 0.0593] * WHITE / 1000, 1e-9)[..., None]
        scene = light * WHITE / 1000 * luma ** (1 / 1.2 - 1)
        logarithm = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithm)
    return light ** (1 / 2.4)


def write_hdr_video(path: Path, frames: list[np.ndarray], transfer: int, rate: int = 5) -> Path:
    """Ten bits, HEVC."""
    height, width = frames[0].shape[:2]
    params = f"log-level=none:colorprim=9:transfer={transfer}:colormatrix=9"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx265", rate=rate, options={"crf": "4", "x265-params": params})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        for number, rgb in enumerate(frames):
            deep = (code_values(rgb, transfer) * 65535 + 0.5).astype(np.uint16)
            frame = av.VideoFrame.from_ndarray(deep, "rgb48le")
            frame = frame.reformat(format="yuv420p10le", dst_colorspace=9)
            frame.pts, frame.color_trc, frame.color_primaries = number, transfer, 9
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path
