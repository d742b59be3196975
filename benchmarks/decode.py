"""Sampled frames a CPU second: our decode against bare decoder loops, on the same files in the same run.

    python -m benchmarks.decode [FILE ...]

Without files: the long real videos beside the checkout. Every loop gives 384-pixel RGB pictures at 1 frame a second,
on one thread; the whole of decode also writes their JPEGs. Bare loops decode every frame in order, as a user of the
library would.
"""

import gc
import json
import math
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import psutil

from schemas.rejects import Reject
from stages import decode, shard
from workers.decode_plan import Segment
from workers.frame_decoder import sample_frames
from workers.media_process import media_process
from workers.picture import encode_jpeg
from workers.probe import probe
from workers.storage import Store

VIDEOS = Path(__file__).resolve().parents[1].parent / "shared" / "videos" / "long"
SHORT_SIDE = 384
ROUNDS = 2
UNIT = "sampled frames/CPU s"


def bare_pyav(path: Path, times: list[float]) -> int:
    """Decode everything, keep the frame shown at each time."""
    kept = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "SLICE", 1
        scale = min(1.0, SHORT_SIDE / min(stream.width, stream.height))
        width, height = round(stream.width * scale), round(stream.height * scale)
        before, wanted = None, iter(times)
        time_s = next(wanted)
        for frame in container.decode(stream):
            while before is not None and time_s is not None and frame.time > time_s:
                before.to_ndarray(format="rgb24", width=width, height=height)
                kept, time_s = kept + 1, next(wanted, None)
            before = frame
    return kept


def bare_decord(path: Path, times: list[float]) -> int:
    import decord

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        scale = min(1.0, SHORT_SIDE / min(stream.width, stream.height))
        width, height = round(stream.width * scale), round(stream.height * scale)
        rate = float(stream.average_rate)
    reader = decord.VideoReader(str(path), num_threads=1, width=width, height=height)
    try:
        positions = [min(len(reader) - 1, int(t * rate)) for t in times]
        return sum(len(reader.get_batch(positions[i : i + 32]).asnumpy()) for i in range(0, len(positions), 32))
    finally:
        del reader  # goes on decoding until memory is gone, where it is left open
        gc.collect()


def bare_ffmpeg(path: Path, times: list[float]) -> int:
    import imageio_ffmpeg

    scale = f"fps=1,scale='if(gt(iw,ih),-2,min(iw,{SHORT_SIDE}))':'if(gt(iw,ih),min(ih,{SHORT_SIDE}),-2)'"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-threads", "1", "-i", str(path), "-an"]
    command += ["-vf", scale, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    # Pictures are counted, not looked at: what they are made of is the same.
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return len(times)


def bare_torchcodec(path: Path, times: list[float]) -> int:
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, seek_mode="approximate")
    return sum(len(decoder.get_frames_played_at(times[i : i + 32]).data) for i in range(0, len(times), 32))


def ours(segments: list[dict]) -> int:
    """The stage: plan, pictures, JPEG, the way from the decoder's process, Arrow, the unit's file."""
    with tempfile.TemporaryDirectory() as folder:
        store, config = Store(folder), decode.DecodeConfig(short_side=SHORT_SIDE)
        units = (decode.run(segment, config, store) for segment in segments)
        return sum(store.write_tables(f"{n}.parquet", unit, decode.FRAME) for n, unit in enumerate(units))


def sampled(segments: list[dict]) -> int:
    """The pictures alone, as the bare loops give them."""
    count = 0
    for segment in segments:
        columns = {name: segment[name] for name in Segment.__dataclass_fields__}
        count += sum(1 for _ in sample_frames(segment["media"], Segment(**columns), short_side=SHORT_SIDE))
    return count


def jpegs_here(segments: list[dict]) -> int:
    """Pictures and their JPEGs in this process: what the child is measured against."""
    config, count = decode.DecodeConfig(), 0
    for segment in segments:
        columns = {name: segment[name] for name in Segment.__dataclass_fields__}
        for picture in sample_frames(segment["media"], Segment(**columns), short_side=SHORT_SIDE):
            count += bool(encode_jpeg(picture.rgb, config.jpeg_quality))
    return count


def jpegs_apart(segments: list[dict]) -> int:
    """The same in the supervised child."""
    config, count = decode.DecodeConfig(), 0
    for segment in segments:
        columns = {name: segment[name] for name in Segment.__dataclass_fields__}
        options = {"short_side": SHORT_SIDE, "jpeg_quality": config.jpeg_quality}
        messages = media_process(config.limits).call("sample", path=segment["media"], segment=columns, **options)
        count += sum(1 for _ in messages)
    return count


def plan(path: Path) -> list[dict]:
    """The file's units of decode at 1 frame a second."""
    video = {"video_id": "0" * 16, "sha256": "", "media": str(path), **probe(path).columns()}
    (table,) = shard.run(video, shard.ShardConfig(fps=1.0, min_frames=1), Store("."))
    return [{**video, **row} for row in table.to_pylist()]


def cpu_seconds() -> float:
    """Of this process and its children, those that have ended too: what else runs on the machine doesn't show."""
    ended = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    living = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return ended + sum(sum(process.cpu_times()[:2]) for process in living)


def best_rates(loops: dict[str, Callable[[], int]]) -> dict[str, float | None]:
    """Sampled frames a CPU second of each loop, best round; None where a decoder can't be used or can't read the file.

    Round by round, so that a busy minute of the machine falls on all of them.
    """
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            start = cpu_seconds()
            try:
                count = loop()
            except (ImportError, OSError, RuntimeError, Reject, subprocess.CalledProcessError):
                continue
            rates[name].append(count / (cpu_seconds() - start))
    return {name: max(values, default=None) for name, values in rates.items()}


BARE = {
    "bare pyav": bare_pyav,
    "bare decord": bare_decord,
    "bare torchcodec": bare_torchcodec,
    "bare ffmpeg": bare_ffmpeg,
}


def main(paths: list[Path]) -> None:
    ratios: dict[str, list[float]] = {"pictures": [], "whole of decode": []}
    for path in paths:
        segments = plan(path)
        times = [
            segment["sample_origin_s"] + sample * segment["sample_period_s"]
            for segment in segments
            for sample in range(segment["first_sample"], segment["first_sample"] + segment["num_samples"])
        ]
        bare = {name: partial(loop, path, times) for name, loop in BARE.items()}
        mine = {
            "pictures": sampled,
            "whole of decode": ours,
            "JPEGs in this process": jpegs_here,
            "JPEGs in a child": jpegs_apart,
        }
        rates = best_rates({**bare, **{name: partial(loop, segments) for name, loop in mine.items()}})
        fastest = max((rates[name] for name in bare if rates[name]), default=None)
        for name, rate in rates.items():
            report(f"{path.name}: {name}", rate, UNIT, None)
        for name, bar in (("pictures", 1.0), ("whole of decode", 0.85)):
            ratio = rates[name] / fastest if rates[name] and fastest else None
            report(f"{path.name}: {name} / fastest bare loop", ratio, "ratio", bar)
            ratios[name] += [ratio] if ratio else []
        here, apart = rates["JPEGs in this process"], rates["JPEGs in a child"]
        report(f"{path.name}: in a child / in this process", apart / here if here and apart else None, "ratio", 0.97)
    for name, values in ratios.items():
        mean = math.exp(sum(map(math.log, values)) / len(values)) if values else None
        report(f"{name} / fastest bare loop, geometric mean", mean, "ratio", 1.3 if name == "pictures" else None)


def report(figure: str, value: float | None, unit: str, bar: float | None) -> None:
    ok = None if value is None or bar is None else value >= bar
    print(
        json.dumps({"figure": figure, "value": value and round(value, 3), "unit": unit, "bar": bar, "ok": ok}),
        flush=True,
    )


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(p for p in VIDEOS.glob("*") if p.suffix in (".mp4", ".mkv")))
