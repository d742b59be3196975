import io
import itertools
import sys

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from schemas.config import ConfigError, parse
from schemas.tables.media import FRAME
from stages import shard
from stages.decode import DecodeConfig, stage
from tests.numbered_video import read_number, write_video
from workers.media.probe import probe
from workers.storage.store import Store


def frames(path, store, fps=2.0, until_s=np.inf, phase="auto", **config):
    declared = stage(DecodeConfig(**config))
    video = {"video_id": "a" * 16, "sha256": "", "media": None, "location": str(path), **probe(path).columns()}
    (segments,) = shard.run(video, shard.ShardConfig(fps=fps, segment_s=3.0, min_frames=1, phase=phase), store)
    rows = [row for row in segments.to_pylist() if row["start_s"] < until_s]
    decode = declared.run(declared.config, store)
    tables = [t for row in rows for t in decode({**video, **row})]
    assert all(table.schema.equals(FRAME) for table in tables)
    return pa.concat_tables(tables)


def images(table):
    return [np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in table["jpeg"].to_pylist()]


def test_rows(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(300) / 30)
    table = frames(path, Store(tmp_path), fps=20.0)
    assert table["sample_index"].to_pylist() == list(range(200))
    numbers = [read_number(image) for image in images(table)]
    np.testing.assert_allclose(table["time_s"], np.array(numbers) / 30, atol=1e-4)


def test_bytes_do_not_depend_on_threads_or_segments(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(200) / 30)
    one, two = frames(path, Store(tmp_path)), frames(path, Store(tmp_path), threads=2)
    assert one.equals(two)


@pytest.mark.parametrize(("short_side", "shape"), [(24, (24, 96)), (48, (48, 192)), (384, (48, 192))])
def test_size_is_never_above_the_source(tmp_path, short_side, shape):
    path = write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    table = frames(path, Store(tmp_path), short_side=short_side)
    assert {image.shape[:2] for image in images(table)} == {shape}
    assert (table["height"][0].as_py(), table["width"][0].as_py()) == shape


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"device": "cuda"}, "resources.gpus = 0"),
        ({"device": "cuda", "backend": "pyav", "resources": {"gpus": 0.1}}, "backend = 'pyav'"),
        ({"device": "tpu"}, "device = 'tpu'"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_named(values, named):
    with pytest.raises(ConfigError, match=named):
        parse(DecodeConfig, values)


def test_a_worker_without_a_gpu_says_what_is_missing(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    declared = stage(parse(DecodeConfig, {"device": "cuda", "resources": {"gpus": 0.1}}))
    with pytest.raises(ConfigError, match="decode.device = 'cuda': .*set it to 'cpu'"):
        declared.run(declared.config, Store(tmp_path))


@pytest.mark.parametrize("backend", ["decord", "torchcodec"])
def test_a_backend_that_is_not_installed_is_named_before_anything_is_decoded(backend, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, backend, None)  # as an import finds it where it is not installed
    declared = stage(parse(DecodeConfig, {"backend": backend}))
    with pytest.raises(
        ConfigError, match=f"decode.backend = '{backend}': .*not installed.*set decode.backend to 'auto'"
    ):
        declared.run(declared.config, Store(tmp_path))


def test_the_burned_in_clock(videos, tmp_path):
    """Between two samples of one cue the image stays. Where the cue changes it changes too, but for the seconds that
    the clock in the image skips (it shows 9:51 for two, then 9:49)."""
    path = videos / "long/countdown_10min_burned_clock.mkv"
    # The cues change at a tenth of a second, the image a frame or two beside it.
    table = frames(path, Store(tmp_path), until_s=20.0, phase="centre")
    text = (videos / "long/countdown_10min_burned_clock.vtt").read_text()
    clocks = [line.split(" --> ")[0].split(":") for line in text.splitlines() if " --> " in line]
    cues = [int(hours) * 3600 + int(minutes) * 60 + float(seconds) for hours, minutes, seconds in clocks]
    cue = np.searchsorted(cues, np.array(table["time_s"]) + 0.02, side="right")
    shots = [image.astype(int) for image in images(table)]
    changed = [np.abs(a - b).mean() for a, b in itertools.pairwise(shots)]
    same = [c for c, left, right in zip(changed, cue, cue[1:], strict=False) if left == right]
    other = [c for c, left, right in zip(changed, cue, cue[1:], strict=False) if left != right]
    assert len(same) > 10 and len(other) > 10
    assert max(same) < 0.5
    assert np.mean(np.array(other) > 2) > 0.85
