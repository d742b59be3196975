"""The plain script of a good engineer: two processes, each with torchcodec and a tower, over pieces of 300 seconds."""

import io
import multiprocessing
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
from common import BATCH, FILES, OUT, WORK, Tower, decoder, key, sample_times

PIECE = 300
tower = cache(Tower)


def batches(path, times):
    video = decoder(path)
    for start in range(0, len(times), BATCH):
        got = video.get_frames_played_at(times[start : start + BATCH])
        yield got.pts_seconds.numpy(), got.data


def embed(path, times):
    done = [(at, tower().embed(pixels)) for at, pixels in batches(path, times)]
    return path, times[0], *(np.concatenate(parts) for parts in zip(*done, strict=True))


def frames(path, times):
    from torchvision.io import encode_jpeg

    with tarfile.open(Path(OUT) / f"{Path(path).stem}-{int(times[0]):05d}.tar", "w") as archive:
        for at, pixels in batches(path, times):
            for time_s, frame in zip(at, pixels, strict=True):
                data = bytes(encode_jpeg(frame, quality=90).numpy())
                info = tarfile.TarInfo(key(path, time_s) + ".jpg")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def main():
    Path(OUT).mkdir()
    pieces = [
        (path, times[start : start + PIECE])
        for path in FILES
        for times in [sample_times(path)]
        for start in range(0, len(times), PIECE)
    ]
    pieces.sort(key=lambda piece: -len(piece[1]))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        done = pool.starmap(embed if WORK == "embed" else frames, pieces, chunksize=1)
    if WORK == "embed":
        for path in FILES:
            mine = sorted((d for d in done if d[0] == path), key=lambda d: d[1])
            vectors = np.concatenate([d[3] for d in mine]).astype(np.float16)
            np.savez(f"{OUT}/{Path(path).stem}.npz", times=np.concatenate([d[2] for d in mine]), embeddings=vectors)


if __name__ == "__main__":
    main()
