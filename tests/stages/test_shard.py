import numpy as np
import pytest

from schemas.rejects import Reject
from schemas.tables.media import SEGMENT
from stages.shard import ShardConfig, run, stage
from tests.numbered_video import write_video
from workers.media.probe import probe
from workers.storage.store import Store


def unit(path):
    return {"video_id": "a" * 16, "sha256": "", "media": None, "location": str(path), **probe(path).columns()}


def test_rows(tmp_path):
    path = write_video(tmp_path / "v.mp4", 2 + np.arange(300) / 30, gop=30, options={"sc_threshold": "0"})
    config = ShardConfig(segment_s=3.0, fps=2.0, min_frames=1)
    (table,) = run(unit(path), config, Store(tmp_path / "c"))
    assert table.schema.equals(SEGMENT)
    assert table["segment_id"].to_pylist() == [f"{'a' * 16}-{n:05d}" for n in range(4)]
    np.testing.assert_allclose(table["start_s"], [2, 5, 8, 11], atol=0.04)
    assert table["num_samples"].to_pylist() == [6, 6, 6, 2]
    assert set(table["sample_tolerance_s"].to_pylist()) == {0.125}  # a quarter of half a second


def test_one_key_frame_is_one_segment(videos, tmp_path):
    path = videos / "short/simpl_vp9_webrtc_meeting.webm"
    (table,) = run(unit(path), ShardConfig(segment_s=5.0), Store(tmp_path))
    assert table.num_rows == 1


def test_a_bound_of_the_duration_is_part_of_the_path_where_it_is_set():
    one = {"video_id": "v", "sha256": "0" * 64, "duration_s": 10.0, "first_frame_s": 0.0}
    configs = [
        ShardConfig(),
        ShardConfig(min_duration_s=60),
        ShardConfig(min_duration_s=5),
        ShardConfig(max_duration_s=5),
    ]
    paths = [stage(config).unit_path({**dict.fromkeys(stage(config).reads.names, ""), **one}) for config in configs]
    assert len({*paths}) == len(paths)


def test_too_short_and_too_long(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    with pytest.raises(Reject, match="too_short"):
        list(run(unit(path), ShardConfig(min_duration_s=2.0), Store(tmp_path)))
    with pytest.raises(Reject, match="too_long"):
        list(run(unit(path), ShardConfig(max_duration_s=0.5), Store(tmp_path)))
