import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import psutil
import pytest

from schemas.rejects import Reject
from stages.shard import ShardConfig
from tests.numbered_video import write_video
from tests.planned_video import grid_of, planned
from workers.media import probe
from workers.media import sandboxed as media_sandbox
from workers.media.frame_decoder import BACKENDS, sample_frames
from workers.media.media_limits import MediaLimits, budget_of
from workers.media.render import encode_jpeg
from workers.media.sandboxed import probe_in_sandbox, sample_grid_in_sandbox, sample_in_sandbox
from workers.sandbox.client import Sandbox, sandbox
from workers.sandbox.lockdown import FULL

LIMITS = MediaLimits()
OPTIONS = {"short_side": 96, "jpeg_quality": 50}


def plan(path, **config):
    facts = probe.probe(path)
    (segment,) = planned(path, **config)
    return facts, segment


def sample(path, limits=LIMITS, fps=1.0, **options):
    facts, segment = plan(path, fps=fps)
    return list(sample_in_sandbox(path, segment, limits, duration_s=facts.duration_s, **OPTIONS, **options))


def grid(path, limits=LIMITS, **config):
    return sample_grid_in_sandbox(path, ShardConfig(**config).sampling(0.0, 3.0), limits)


@pytest.fixture
def answer(monkeypatch):
    """Has the sandbox give these messages, as a process that was taken over may."""

    def answer(*messages):
        monkeypatch.setattr(Sandbox, "call", lambda *args, **kwargs: iter(messages))

    return answer


def test_the_same_as_in_this_process(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(90) / 30)
    assert probe_in_sandbox(path, LIMITS) == probe.probe(path).columns()
    here, there = grid_of(path), grid(path)
    np.testing.assert_array_equal(here.access_points.pts, there.access_points.pts)
    np.testing.assert_array_equal(here.access_points.time_s, there.access_points.time_s)
    assert replace(here, access_points=there.access_points) == there
    frames = list(sample_frames(path, plan(path)[1], short_side=96))
    found = sample(path)
    assert [jpeg for _, jpeg in found] == [encode_jpeg(frame.rgb, 50) for frame in frames]
    assert [header["time_s"] for header, _ in found] == [frame.time_s for frame in frames]
    with pytest.raises(Reject, match="not_found"):
        probe_in_sandbox(tmp_path / "none.mp4", LIMITS)
    with pytest.raises(Reject, match="not_found: cannot be opened"):
        probe_in_sandbox(tmp_path, LIMITS)


def importable(library):
    return subprocess.run([sys.executable, "-c", f"import {library}"], capture_output=True).returncode == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_backend_decodes_in_the_full_sandbox(tmp_path, backend):
    """It opens its file by the descriptor alone, and no library of it needs anything that the layers refuse."""
    library = {"pyav": "av", "decord": "decord", "torchcodec": "torchcodec.decoders"}[backend]
    if not importable(library):
        pytest.skip(f"{library} is not installed")
    path = write_video(tmp_path / "v.mp4", np.arange(90) / 30)
    found = sample(path, backend=backend, preload=(library,), threads=2)
    assert [header["time_s"] for header, _ in found] == [header["time_s"] for header, _ in sample(path)]
    if not sandbox("workers.media.tasks", LIMITS, (library,)).layers >= FULL:
        pytest.skip("this kernel has no full sandbox")


@pytest.mark.slow
def test_real_files_of_all_kinds_are_read_as_without_a_sandbox(videos):
    """Their names, which FFmpeg looks at too, don't matter, nor do libraries of rare codecs."""
    for path in sorted(p for folder in ("short", "odd", "annotated") for p in (videos / folder).iterdir()):
        try:
            expected = probe.probe(path).columns()
        except Reject as reject:
            with pytest.raises(Reject) as found:
                probe_in_sandbox(path, LIMITS)
            assert (found.value.reason, found.value.detail) == (reject.reason, reject.detail), path.name
        else:
            assert probe_in_sandbox(path, LIMITS) == expected, path.name


@pytest.mark.slow
def test_a_kilobyte_of_large_frames_ends_as_a_reject_that_names_the_setting(cases):
    path = cases / "security/rle_20000.mov"
    assert probe_in_sandbox(path, LIMITS)["frame_count"] == 100
    with pytest.raises(Reject, match="over_budget: .* limits.budget, now 0.1|decoder_memory: .* memory_mb = 4096"):
        sample(path, MediaLimits(budget=0.1))


def test_pixels_without_an_account_are_over_budget(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.mp4", np.arange(90) / 30, size=(1280, 720), options={"preset": "ultrafast"})
    monkeypatch.setattr(media_sandbox, "budget_of", lambda *args: (1e6, 1e10))
    with pytest.raises(Reject, match="over_budget: more than 10 megapixels .* limits.budget, now 0.001, scales this"):
        sample(path, MediaLimits(budget=1e-3), fps=30.0)


@pytest.mark.slow
def test_cpu_seconds_without_an_account_are_over_budget(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.mp4", np.arange(900) / 30, size=(1280, 720), options={"preset": "ultrafast"})
    monkeypatch.setattr(media_sandbox, "budget_of", lambda *args: (0.2, 1e12))
    with pytest.raises(Reject, match="over_budget: more than 0.1 CPU seconds.*limits.budget, now 0.5"):
        sample(path, MediaLimits(budget=0.5), fps=30.0)


@pytest.mark.parametrize(
    ("size", "duration_s", "segment_s", "cpu_s", "megapixels"),
    [
        (987, 100, 100, 60, 4_200),  # no bytes: the floor
        (10**9, 1, 1, 80, 6_000),  # no duration
        (5_000_000, 3600, 3600, 560, 1_004_000),  # an hour of one still slide
        (5_000_000, 3600, 300, 52, 84_333),  # a segment of it
        (4 * 10**9, 7200, 300, 6_010, 601_000),  # a film
    ],
)
def test_the_budget_of_a_segment(size, duration_s, segment_s, cpu_s, megapixels):
    found_s, pixels = budget_of(size, duration_s, segment_s)
    assert found_s == pytest.approx(cpu_s, rel=0.02)
    assert pixels / 1e6 == pytest.approx(megapixels, rel=0.02)


FRAME = {"sample_index": 0, "time_s": 0.5, "width": 96, "height": 54, "wanted": 1}
FRAME |= {"source_width": 96, "source_height": 54, "decoder_errors": 0, "frames_decoded": 1}


@pytest.mark.parametrize(
    "header",
    [{**FRAME, "time_s": float("nan")}, {**FRAME, "width": 1 << 40}, {**FRAME, "width": "96"}, {**FRAME, "x": 1}, {}],
)
def test_what_is_no_frame_costs_its_file(tmp_path, answer, header):
    path = write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    answer((header, b""))
    with pytest.raises(Reject, match="decoder_crashed"):
        sample(path)


def test_more_frames_than_samples_are_no_answer(tmp_path, answer):
    path = write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    answer(*[(FRAME, b"")] * 65)
    with pytest.raises(Reject, match="decoder_crashed"):
        sample(path)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [({}, b"")] * 2,
        [({"access_points": 1, "phase": 0.5}, b"x" * 15)],
        [({"access_points": "1", "phase": 0.5}, b"\0" * 24)],
        [({"access_points": 2, "phase": 0.5}, b"\0" * 40)],  # the same time twice
        [({"access_points": 1, "phase": 1.0}, b"\0" * 24)],
        [({"access_points": 1, "phase": float("nan")}, b"\0" * 24)],
        [({"access_points": 1, "phase": 0.5}, b"\0" * 16)],  # no count of a segment
        [({"access_points": 1, "phase": 0.5}, b"\0" * 16 + b"\xff" * 8)],
        [({"access_points": 1, "phase": 0.5}, b"\0" * 32)],
    ],
)
def test_what_are_no_facts_costs_its_file(answer, messages):
    answer(*messages)
    for read in (probe_in_sandbox, grid):
        with pytest.raises(Reject, match="decoder_crashed"):
            read(__file__, LIMITS)


def test_the_process_has_nothing_that_only_its_caller_needs():
    program = "import sys, workers.media.tasks; print({'pydantic', 'pyarrow', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "set()\n"


def test_units_of_a_process_share_a_server(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    limits = MediaLimits(stall_s=1234.0)
    for _ in range(3):
        probe_in_sandbox(path, limits)
    servers = [p for p in psutil.Process().children() if "workers.media.tasks" in p.cmdline()]
    before = len(servers)
    probe_in_sandbox(path, MediaLimits(stall_s=1235.0))
    assert len([p for p in psutil.Process().children() if "workers.media.tasks" in p.cmdline()]) == before + 1
    assert os.getpid() not in {p.pid for p in servers}
