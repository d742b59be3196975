import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest

from schemas.rejects import Reject
from stages.shard import ShardConfig, segments
from tests.numbered_video import write_video
from workers import probe
from workers.decode_plan import Segment
from workers.frame_decoder import sample_frames
from workers.media_process import MediaLimits, MediaProcess, entry_points_apart, probe_apart
from workers.picture import encode_jpeg

BROKEN = "tests.workers.broken_decoders"


@pytest.fixture
def process():
    process = MediaProcess(MediaLimits(memory_mb=600))
    yield process
    process.close()


@pytest.fixture
def hasty():
    process = MediaProcess(MediaLimits(stall_cpu_s=0.4, stall_s=3.0))
    yield process
    process.close()


def call(process, task, **arguments):
    return [header for header, _ in process.call("call", function=f"{BROKEN}:{task}", **arguments)]


def pid(process):
    return call(process, "pid")[0]["pid"]


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("segfault", "decoder_crashed"),
        ("leave", "decoder_crashed"),
        ("eat_memory", "decoder_memory"),
        ("eat_memory_in_mappings", "decoder_memory"),
    ],
)
def test_a_bad_end_is_one_reject_and_the_next_goes_on(process, task, reason):
    with pytest.raises(Reject) as rejected:
        call(process, task)
    assert rejected.value.reason == reason
    assert len(call(process, "good", count=3)) == 3


@pytest.mark.parametrize("leaked_mb", [0, 60, 140])
def test_each_file_may_take_the_same(process, leaked_mb):
    before = pid(process)
    call(process, "leak", mb=leaked_mb)
    assert call(process, "take", mb=360)
    assert pid(process) == before
    with pytest.raises(Reject, match="decoder_memory"):
        call(process, "take", mb=400)


def test_a_child_that_lost_a_quarter_of_its_memory_is_replaced(process):
    before = pid(process)
    call(process, "leak", mb=160)
    assert pid(process) != before


@pytest.mark.parametrize("leaked_mb", [[140], [140, 300], [140, 360]])
def test_what_a_file_leaves_behind_spoils_no_other(process, tmp_path, leaked_mb):
    path = write_video(tmp_path / "v.mp4", np.arange(40) / 30, size=(3840, 2160), options={"preset": "ultrafast"})
    facts, entries = probe.probe(path), probe.entry_points(path)
    config = ShardConfig(fps=15.0, min_frames=1)
    (row,) = segments("v", facts.first_frame_s, facts.duration_s, entries, config)
    plan = Segment(**{name: row[name] for name in Segment.__dataclass_fields__})
    for mb in leaked_mb:
        call(process, "leak", mb=mb)
    found = process.call("sample", path=str(path), segment=asdict(plan), short_side=96, jpeg_quality=50)
    pictures = sample_frames(path, plan, short_side=96)
    assert [jpeg for _, jpeg in found] == [encode_jpeg(picture.rgb, 50) for picture in pictures]


def test_a_child_that_says_it_is_alive_is_no_runaway():
    process = MediaProcess(MediaLimits(stall_cpu_s=2.5))
    assert call(process, "plod", cpu_s=5.0) == [{"number": 0}]
    process.close()


@pytest.mark.parametrize("task", ["hang", "spin"])
def test_a_child_that_gives_nothing_is_ended(hasty, task):
    with pytest.raises(Reject, match="decoder_timeout"):
        call(hasty, task)
    assert call(hasty, "pid")


def test_a_child_that_closes_its_side_is_ended(process, monkeypatch):
    monkeypatch.setattr("workers.media_process._ENDS_S", 0.2)
    with pytest.raises(Reject, match="decoder_crashed"):
        call(process, "go_silent")


@pytest.mark.parametrize(("deadly", "times"), [(signal.SIGSEGV, 2), (signal.SIGKILL, 9)])
def test_a_file_survives_some_deaths_of_its_decoder(process, tmp_path, deadly, times):
    messages = call(process, "die", folder=str(tmp_path), times=times, signal_number=deadly)
    assert [message["number"] for message in messages] == list(range(5))
    assert len(list(tmp_path.iterdir())) == times


@pytest.mark.parametrize(("deadly", "times"), [(signal.SIGSEGV, 3), (signal.SIGKILL, 10)])
def test_a_file_that_always_kills_its_decoder_is_rejected(process, tmp_path, deadly, times):
    with pytest.raises(Reject, match=f"signal {deadly:d}, {times} times") as rejected:
        call(process, "die", folder=str(tmp_path), times=1000, signal_number=deadly)
    assert rejected.value.reason == "decoder_crashed"
    assert len(list(tmp_path.iterdir())) == times


def test_a_child_killed_between_two_files_is_replaced(process):
    for _ in range(12):  # more than the deaths that a file is forgiven
        number = pid(process)
        os.kill(number, signal.SIGKILL)
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
        assert len(call(process, "good", count=3)) == 3


def test_a_child_that_does_not_start_is_no_fault_of_the_file(monkeypatch, tmp_path):
    (tmp_path / "av.py").write_text("raise ImportError('no such library')")
    monkeypatch.setattr("workers.media_process._ROOT", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    with pytest.raises(RuntimeError, match="ended with code 1 before it was given a file"):
        call(MediaProcess(MediaLimits()), "pid")


@pytest.mark.parametrize("task", ["promise_too_much", "talk_nonsense"])
def test_a_child_that_lies_is_ended(process, monkeypatch, task):
    monkeypatch.setattr("workers.media_process._ENDS_S", 0.1)
    with pytest.raises(Reject, match="decoder_crashed"):
        call(process, task)


def test_messages_arrive_whole(process):
    messages = list(process.call("call", function=f"{BROKEN}:good", count=40))
    assert [header["number"] for header, _ in messages] == list(range(40))
    assert all(payload == bytes([number]) * 100_000 for number, (_, payload) in enumerate(messages))


def test_a_bug_is_no_reject(process):
    with pytest.raises(RuntimeError, match="KeyError"):
        call(process, "fail")
    assert len(call(process, "good", count=1)) == 1


def test_a_caller_that_leaves_early_gets_the_next_answer(process):
    next(iter(process.call("call", function=f"{BROKEN}:good", count=40)))
    assert [message["number"] for message in call(process, "good", count=2)] == [0, 1]


def test_two_files_at_once_do_not_mix(process):
    first = process.call("call", function=f"{BROKEN}:good", count=20)
    numbers = [next(first)[0]["number"]]
    assert [message["number"] for message in call(process, "good", count=3)] == [0, 1, 2]
    numbers += [header["number"] for header, _ in first]
    assert numbers == list(range(20))


def test_a_child_is_replaced_after_its_calls():
    process = MediaProcess(MediaLimits(max_calls=2))
    pids = [pid(process) for _ in range(4)]
    process.close()
    assert pids[0] == pids[1] != pids[2] == pids[3]
    assert not any(psutil.pid_exists(number) for number in pids)


def test_a_child_starts_without_what_only_its_parent_needs():
    program = "import sys, workers.media_child; print({'pydantic', 'pyarrow', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_is_no_unicode_arrives(process):
    assert call(process, "echo", text="no\udcff") == [{"text": "no\udcff"}]


def test_a_child_ends_with_its_parent():
    program = f"""
from workers.media_process import MediaLimits, MediaProcess
process = MediaProcess(MediaLimits())
((header, _),) = process.call("call", function="{BROKEN}:pid")
print(header["pid"], flush=True)
list(process.call("call", function="{BROKEN}:hang"))
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone, _ = psutil.wait_procs([child], timeout=10)
    assert gone


def test_the_same_as_in_this_process(tmp_path):
    process = MediaProcess(MediaLimits())
    path = write_video(tmp_path / "v.mp4", np.arange(90) / 30)
    assert probe_apart(process, path) == probe.probe(path).columns()
    here, apart = probe.entry_points(path), entry_points_apart(process, path)
    np.testing.assert_array_equal(here.pts, apart.pts)
    np.testing.assert_array_equal(here.time_s, apart.time_s)
    with pytest.raises(Reject, match="not_found"):
        probe_apart(process, tmp_path / "none.mp4")
    process.close()


def test_a_stopped_child_is_a_hang(hasty):
    os.kill(pid(hasty), signal.SIGSTOP)
    with pytest.raises(Reject, match="decoder_timeout"):
        call(hasty, "good", count=1)
