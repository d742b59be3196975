"""Demo videos as files: real streams, true times, the same for the same seed."""

import json

import av
import numpy as np
import pytest

from pipeline.demo import write_demo
from pipeline.demo.corpus import script_of
from pipeline.demo.encode import encode
from pipeline.demo.render import draw, moment_at
from pipeline.demo.run import run_demo
from pipeline.inputs.recipe import load_recipe
from pipeline.terminal import Terminal
from workers.storage.files import PathError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo"), videos=2, seconds=40, seed=11)


def test_the_manifest_tells_what_the_videos_show(demo):
    rows = [json.loads(line) for line in demo.read_text().splitlines()]
    assert [row["split"] for row in rows] == ["train", "val"]
    for index, row in enumerate(rows):
        assert (demo.parent / row["uri"]).is_file() and row["licence"] == "CC0-1.0" and row["source"] == "demo"
        script = script_of(index, seconds=40, seed=11)
        starts = [event["start_s"] for event in row["events"]]
        assert starts == sorted(starts)
        assert sum(event["kind"] == "event" for event in row["events"]) == len(script.events) > 0
        assert [event["text"] for event in row["events"] if event["kind"] == "scene"] == [s.name for s in script.scenes]


def test_the_streams_are_h264_and_aac_of_the_scripts_length(demo):
    for index, line in enumerate(demo.read_text().splitlines()):
        script = script_of(index, seconds=40, seed=11)
        with av.open(str(demo.parent / json.loads(line)["uri"])) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            assert container.duration / 1e6 == pytest.approx(script.seconds, abs=0.2)
            packets = [packet for packet in container.demux(video) if packet.pts is not None]
            key_times = [float(packet.pts * packet.time_base) for packet in packets if packet.is_keyframe]
        assert max(np.diff(key_times)) <= 5.01 and len(key_times) >= 8


def test_a_decoded_frame_shows_the_moment_of_its_time(demo):
    script = script_of(0, seconds=40, seed=11)
    path = demo.parent / json.loads(demo.read_text().splitlines()[0])["uri"]
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            drawn = np.asarray(draw(moment_at(script, frame.time))).astype(int)
            assert np.abs(frame.to_ndarray(format="rgb24") - drawn).mean() < 12


def test_events_are_heard(demo):
    script = script_of(0, seconds=40, seed=11)
    path = demo.parent / json.loads(demo.read_text().splitlines()[0])["uri"]
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    time_s = np.arange(len(sound)) / rate
    during = np.zeros(len(sound), bool)
    for event in script.events:
        during |= (time_s >= event.start_s) & (time_s < event.end_s)
    assert np.abs(sound[during]).mean() > 3 * np.abs(sound[~during]).mean()


def test_the_same_seed_gives_the_same_bytes(demo, tmp_path):
    again = write_demo(tmp_path, videos=2, seconds=40, seed=11)
    names = sorted(path.name for path in demo.parent.iterdir())
    assert [(tmp_path / name).read_bytes() for name in names] == [(demo.parent / name).read_bytes() for name in names]
    assert again.read_text() != write_demo(tmp_path / "other", videos=1, seconds=40, seed=12).read_text()


def test_no_video_is_refused(tmp_path):
    with pytest.raises(ValueError, match="videos = 0"):
        write_demo(tmp_path, videos=0, seconds=40, seed=0)


def test_a_failing_encoder_says_why(tmp_path):
    frames = iter([bytes(16 * 16 * 3)] * 4)
    with pytest.raises(RuntimeError, match="x.mp4 failed"):
        encode(tmp_path / "missing" / "x.mp4", frames, width=16, height=16, fps=8, audio=np.zeros(8000, np.int16))


def test_no_file_is_written_through_a_link_in_the_folder(tmp_path):
    others = tmp_path / "others"
    others.write_text("kept")
    (tmp_path / "world").mkdir()
    for name in ("demo-11-000.mp4", "manifest.unfinished"):
        (tmp_path / "world" / name).symlink_to(others)
    write_demo(tmp_path / "world", videos=1, seconds=30, seed=11)
    assert others.read_text() == "kept"


def test_a_folder_of_which_a_link_leads_out_is_refused(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "world").symlink_to(tmp_path)
    with pytest.raises(PathError, match="a symbolic link leads out"):
        run_demo(tmp_path / "demo", load_recipe("demo"), Terminal())
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
