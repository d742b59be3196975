"""`longvid show`: prints one sample of a corpus as training code receives it, and writes its keyframes as JPEGs."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ValidationError

from pipeline.not_built import NotBuilt, require_built
from pipeline.tables.published import SAMPLES
from pipeline.terminal import Terminal, folded_table
from schemas.config import ConfigError
from schemas.messages import counted, is_text
from workers.shards.group import ShardError
from workers.shards.samples_table import typed_samples
from workers.shards.webdataset import samples
from workers.storage.store import Store

_PLACE = ("qa_id", "video_id", "name", "shard", "sample_key")
_FRAMES = ("video_id", "decode_unit", "first_sample", "num_samples", "start_s", "end_s")
SEGMENTS = "tables/segments.parquet"


class _Span(BaseModel):
    start_s: float
    end_s: float


class _Pair(BaseModel):
    """The printed fields of a sample, which are untrusted."""

    qa_id: str
    task: str
    question: str
    answer: str
    options: list[str] = []
    answer_index: int | None = None
    evidence: list[_Span] = []
    provenance: str = ""
    flags: list[str] = []
    sample_key: str
    video: dict[str, Any]


def find_sample(corpus: str, wanted: str | None = None) -> dict[str, Any]:
    """Returns one sample of a corpus, as `workers.shards.samples` yields it.

    Args:
        corpus: root of the corpus.
        wanted: a `qa_id`, or the id of a video (`video_id`, or that of the manifest) whose first sample is returned.
            None: the first sample of the corpus.

    Raises:
        NotBuilt: there are no samples.
        ConfigError: there is no sample of this name.
        ShardError: the shard is damaged, or belongs to another build than the table.
    """
    store = Store(corpus)
    require_built(store, SAMPLES, "the table samples")
    table = typed_samples(store.read_table(SAMPLES, list(_PLACE)), _PLACE)
    if wanted is not None:
        is_it = pa.repeat(False, table.num_rows)
        for name in ("qa_id", "video_id", "name") if is_text(wanted) else ():
            is_it = pc.or_(is_it, pc.equal(table[name], wanted))
        table = table.filter(is_it)
    if not table.num_rows:
        what = "there are no samples" if wanted is None else f"{wanted!r} is no qa_id and no video with samples"
        raise ConfigError(f"{what}: `longvid query` lists qa_id and name of the table samples")
    (place,) = table.slice(0, 1).to_pylist()
    # All groups of the video, since its clips come with the first.
    video = place["sample_key"].partition("-")[0]
    shard = samples([place["shard"]], store=store, clips=True, select=lambda key: key.partition("-")[0] == video)
    for sample in shard:
        if sample.get("qa_id") == place["qa_id"]:
            return sample
    raise ShardError(f"{place['shard']}: has no QA pair {place['qa_id']}, which the table samples names: build again")


def show_sample(sample: dict[str, Any], out: Terminal) -> None:
    """Prints a sample: the QA pair, its evidence, the times of its keyframes and the shapes of its tokens.

    Raises:
        ShardError: a field has the wrong type.
    """
    try:
        pair = _Pair.model_validate(sample)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise ShardError(f"{sample['__url__']}: group {sample['sample_key']}: of the wrong type: {wrong}") from None
    times = sample["time_s"][sample["keyframes"]]
    table = folded_table("", "", show_header=False, box=None)
    table.add_row("qa_id", pair.qa_id)
    table.add_row("video", f"{pair.video.get('name')} ({pair.video.get('video_id')})")
    table.add_row("licence", str(pair.video.get("licence") or "not stated"))
    table.add_row("sample", f"{sample['__url__']}, {pair.sample_key}")
    table.add_row("task", f"{pair.task}, {pair.provenance}" + "".join(f", {flag}" for flag in pair.flags))
    table.add_row("question", pair.question)
    for number, option in enumerate(pair.options):
        table.add_row("", f"{'*' if number == pair.answer_index else ' '} {option}")
    table.add_row("answer", pair.answer)
    table.add_row("evidence", ", ".join(f"{span.start_s:.2f} to {span.end_s:.2f} s" for span in pair.evidence))
    table.add_row("keyframes", ", ".join(f"{time:.2f}" for time in times) + f" s ({counted(len(times), 'frame')})")
    for name, value in sample.items():
        if isinstance(value, np.ndarray) and name.endswith("_tokens"):
            table.add_row(name, f"{value.dtype} {list(value.shape)}")
    out.print(table)


def write_keyframes(corpus: str, sample: dict[str, Any], folder: Path) -> list[Path]:
    """Writes the keyframes of a sample as JPEG files into a folder, in the order of time; returns the paths.

    Raises:
        NotBuilt: the corpus is a published one without units, so the frames are missing.
        ConfigError: a file of the same name exists; nothing has been written.
        ShardError: the units do not contain the frames of the sample.
    """
    keyframes = sample["keyframes"]
    times = dict(zip(sample["sample_index"][keyframes].tolist(), sample["time_s"][keyframes].tolist(), strict=True))
    found = dict(_frames(Store(corpus), sample["video_id"], times.keys()))
    if lost := times.keys() - found.keys():
        command = f"longvid verify {shlex.quote(corpus)}"
        raise ShardError(f"the decode units lack {len(lost)} of {len(times)} keyframes: run `{command}`")
    folder.mkdir(parents=True, exist_ok=True)
    paths = {index: folder / f"keyframe_{number:03d}.jpg" for number, index in enumerate(sorted(times))}
    for path in paths.values():
        if path.exists() or path.is_symlink():
            raise ConfigError(f"--frames {folder}: {path.name} is there already: delete it or name another folder")
    for index, path in paths.items():
        with path.open("xb") as file:
            file.write(found[index])
    return list(paths.values())


def sampled_frames(store: Store, video_id: str, start_s: float, end_s: float, most: int) -> dict[float, bytes]:
    """Returns up to `most` of the sampled frames in [start_s, end_s), evenly spread, as JPEG by time.

    Raises NotBuilt for a published corpus without units, ShardError for a damaged one.
    """
    times: dict[int, float] = {}
    for segment in _segments(store, video_id):
        if segment["start_s"] < end_s and segment["end_s"] > start_s:
            table = store.read_table(segment["decode_unit"], ["sample_index", "time_s"])
            times |= zip(table["sample_index"].to_pylist(), table["time_s"].to_pylist(), strict=True)
    inside = sorted(index for index, time_s in times.items() if time_s is not None and start_s <= time_s < end_s)
    chosen = [inside[int(at)] for at in np.linspace(0, len(inside) - 1, min(most, len(inside)))]
    return {times[index]: jpeg for index, jpeg in _frames(store, video_id, chosen)}


def _frames(store: Store, video_id: str, wanted: Any) -> Iterator[tuple[int, bytes]]:
    """Yields each wanted sample index of a video with its JPEG, from the decode units."""
    for segment in _segments(store, video_id):
        first = segment["first_sample"]
        own = [index for index in wanted if first <= index < first + segment["num_samples"]]
        if not own:
            continue
        frames = store.read_table(segment["decode_unit"], ["sample_index", "jpeg"])
        for frame in frames.filter(pc.is_in(frames["sample_index"], pa.array(own, pa.int64()))).to_pylist():
            if not (frame["jpeg"] or b"").startswith(b"\xff\xd8\xff"):
                raise ShardError(f"{segment['decode_unit']}: frame {frame['sample_index']} is no JPEG file")
            yield frame["sample_index"], frame["jpeg"]


def _segments(store: Store, video_id: str) -> Iterator[dict[str, Any]]:
    """Yields the segments of a video, whose decode units are there. Raises NotBuilt."""
    if not store.has_folder("units") or not store.exists(SEGMENTS):
        raise NotBuilt("the corpus has no decode units, so its frames cannot be shown: leave --frames out")
    segments = store.read_table(SEGMENTS, list(_FRAMES))
    for segment in segments.filter(pc.equal(segments["video_id"], video_id)).to_pylist():
        if not store.exists(segment["decode_unit"]):
            raise NotBuilt(f"{segment['decode_unit']}: not there, so its frames cannot be shown: leave --frames out")
        yield segment
