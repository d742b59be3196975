import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from schemas.rejects import Reject
from tests.workers.sandbox import tasks
from workers.sandbox.client import Sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits

pytestmark = pytest.mark.slow

TASKS = "tests.workers.sandbox.tasks"


def open_box():
    return closing(Sandbox(TASKS, SandboxLimits(memory_mb=600)))


@pytest.fixture(scope="module")
def box():
    """One for many tests: whatever a call did, the next ones go on."""
    with open_box() as box:
        yield box


@pytest.fixture
def own_box():
    """For tests that look at its processes, or that need none of an earlier test."""
    with open_box() as box:
        yield box


@pytest.fixture
def hasty():
    box = Sandbox(TASKS, SandboxLimits(stall_cpu_s=0.4, stall_s=3.0))
    yield box
    box.close()


def server(box):
    return psutil.Process(box._server._process.pid)


def call(box, task, file=b"file", **arguments):
    return [header for header, _ in box.call(task, file, **arguments)]


def test_a_task_gets_its_file_and_its_arguments(box, tmp_path):
    (tmp_path / "f").write_text("by path")
    assert call(box, "echo", b"bytes", text="no\udcff") == [{"text": "no\udcff", "file": "bytes"}]
    assert call(box, "echo", tmp_path / "f", text="") == [{"text": "", "file": "by path"}]
    assert call(box, "echo", b"", text="a" * (1 << 19))[0]["file"] == ""  # more than a socket holds


def test_only_regular_files_are_handed_over(box, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "nothing"):
        with pytest.raises(OSError):
            call(box, "echo", path, text="")


def test_messages_arrive_whole(box):
    messages = list(box.call("good", b"", count=40))
    assert [header["number"] for header, _ in messages] == list(range(40))
    assert all(payload == bytes([number]) * 100_000 for number, (_, payload) in enumerate(messages))


def test_a_task_that_is_not_declared_is_not_run(box):
    with pytest.raises(RuntimeError, match="KeyError: 'os.system'"):
        call(box, "os.system")


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("segfault", "crashed"),
        ("leave", "crashed"),
        ("eat_memory", "memory"),
        ("eat_memory_in_mappings", "memory"),
    ],
)
def test_a_bad_end_is_one_error_and_the_next_call_goes_on(box, task, kind):
    with pytest.raises(SandboxError) as error:
        call(box, task)
    assert error.value.kind == kind
    assert len(call(box, "good", count=3)) == 3


def pids(box, count, **arguments):
    return [call(box, "pid", **arguments)[0]["pid"] for _ in range(count)]


def test_a_process_is_given_files_until_it_has_used_its_time():
    box = Sandbox(TASKS, SandboxLimits(reuse_cpu_s=0.5))
    assert len(set(pids(box, 5))) == 1
    call(box, "plod", busy_s=0.6)
    assert len(set(pids(box, 5))) == 1
    with pytest.raises(Reject):
        call(box, "reject", reason="bad_annotation")
    before = pids(box, 2)
    assert not {*pids(box, 3, fresh=True)} & {*before}
    assert len(server(box).children()) <= 4
    box.close()


def test_each_file_may_have_a_process_of_its_own():
    box = Sandbox(TASKS, SandboxLimits(reuse_cpu_s=0.0))
    assert len(set(pids(box, 5))) == 5
    assert len(server(box).children()) == 1  # for more of the last file
    box.close()


def test_a_process_goes_on_with_the_only_file_that_it_has_seen(tmp_path):
    box = Sandbox(TASKS, SandboxLimits(reuse_cpu_s=0.0))
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("1")
    second.write_text("2")
    of_first, of_second = set(pids(box, 3, file=first)), set(pids(box, 3, file=second))
    assert len(of_first) == len(of_second) == 1 and of_first != of_second
    first.write_text("3")  # by name the same file, but not what that process has seen
    assert not set(pids(box, 1, file=first)) & (of_first | of_second)
    box.close()


def test_few_processes_wait_for_more_files(own_box):
    pids(own_box, 8, fresh=True)
    assert len(server(own_box).children()) == 4


def test_a_process_that_has_seen_two_files_is_no_longer_of_one(tmp_path):
    box = Sandbox(TASKS, SandboxLimits(reuse_cpu_s=0.3))
    file = tmp_path / "file"
    file.write_text("1")
    (seen,) = set(pids(box, 1, file=file) + pids(box, 1))
    call(box, "plod", file, busy_s=0.4)
    assert seen not in pids(box, 1, file=file)
    box.close()


def test_each_file_may_take_all_the_memory_whatever_others_left_behind(own_box):
    for _ in range(3):
        call(own_box, "leak", mb=300)
        assert call(own_box, "take", mb=400)
    with pytest.raises(SandboxError, match="memory_mb = 600"):
        call(own_box, "take", mb=600)


def test_a_heartbeat_restarts_the_limits():
    # A heartbeat is sent at most once per second, so a limit of 1 s would depend on the machine.
    box = Sandbox(TASKS, SandboxLimits(stall_cpu_s=1.5))
    assert call(box, "plod", busy_s=3.0) == [{"number": 0}]
    box.close()


@pytest.mark.parametrize("task", ["hang", "spin"])
def test_a_task_without_a_heartbeat_is_ended(hasty, task):
    with pytest.raises(SandboxError, match="timeout: .* without a heartbeat"):
        call(hasty, task)
    assert call(hasty, "pid")


@pytest.mark.parametrize("task", ["spin", "chatter"])
def test_cpu_seconds_are_counted_whatever_a_task_says(box, task):
    with pytest.raises(SandboxError, match="budget: more than 1 CPU seconds"):
        call(box, task, cpu_s=1.0)


def test_a_stopped_process_is_a_hang(hasty):
    messages = hasty.call("hang", b"")
    next(messages)
    (process,) = server(hasty).children()
    process.suspend()
    with pytest.raises(SandboxError, match="timeout: 3 seconds"):
        next(messages)


def test_time_that_the_caller_takes_is_not_the_tasks(hasty):
    messages = hasty.call("good", b"", count=30)  # more than a socket holds
    next(messages)
    time.sleep(3.5)
    assert len(list(messages)) == 29


def test_a_process_that_closes_its_side_is_ended(own_box, monkeypatch):
    monkeypatch.setattr("workers.sandbox.server_process._ENDS_S", 0.2)
    with pytest.raises(SandboxError, match="closed its connection, 3 times"):
        call(own_box, "go_silent")
    assert server(own_box).children() == []


@pytest.mark.parametrize(("deadly", "times"), [(signal.SIGSEGV, 2), (signal.SIGKILL, 9)])
def test_a_file_survives_some_deaths_of_its_process(box, deadly, times):
    messages = call(box, "die", times=times, signal_number=deadly)
    assert [message["number"] for message in messages] == list(range(5))


@pytest.mark.parametrize(("deadly", "times"), [(signal.SIGSEGV, 3), (signal.SIGKILL, 10)])
def test_a_file_that_always_kills_its_process_is_given_up(box, deadly, times):
    with pytest.raises(SandboxError, match=f"signal {deadly:d}, {times} times") as error:
        call(box, "die", times=1000, signal_number=deadly)
    assert error.value.kind == "crashed"


def test_a_killed_server_is_replaced(own_box):
    for _ in range(12):  # more than the deaths that a file is forgiven
        messages = own_box.call("good", b"", count=30)
        next(messages)
        server(own_box).kill()
        assert len(list(messages)) == 29


def test_a_server_may_be_started_ahead(own_box):
    own_box.start()
    started = server(own_box)
    own_box.start()
    assert call(own_box, "echo", text="a") == [{"text": "a", "file": "file"}]
    assert server(own_box) == started


def test_a_server_that_is_killed_before_it_is_asked_is_replaced(own_box):
    own_box.start()
    server(own_box).kill()
    assert call(own_box, "echo", text="a") == [{"text": "a", "file": "file"}]


def test_tasks_that_cannot_be_imported_are_no_fault_of_the_file():
    with pytest.raises(RuntimeError, match="ended with code 1 before it received a file.*import tests.nothing"):
        call(Sandbox("tests.nothing", SandboxLimits()), "pid")


@pytest.mark.parametrize("lie", ["LIE_TOO_LONG", "LIE_NO_JSON", "LIE_OTHER_JSON", "LIE_UNKNOWN_REASON"])
def test_a_process_that_lies_is_ended(box, lie):
    with pytest.raises(SandboxError, match="sent an invalid message"):
        call(box, "say", data=getattr(tasks, lie), pause_s=0)


def test_a_process_that_drips_is_ended(hasty):
    """A byte now and then of a message that never ends is no heartbeat."""
    with pytest.raises(SandboxError, match="timeout: 3 seconds"):
        call(hasty, "say", data=tasks.LENGTHS.pack(1 << 20, 0).hex(), pause_s=0.1)


def test_a_bug_is_no_fault_of_the_file(box):
    with pytest.raises(RuntimeError, match="KeyError"):
        call(box, "fail")
    with pytest.raises(RuntimeError, match="divide it"):
        call(box, "long_header")
    assert len(call(box, "good", count=1)) == 1


def test_a_reject_arrives_cut(box):
    with pytest.raises(Reject) as reject:
        call(box, "reject", reason="bad_annotation")
    assert (reject.value.reason, len(reject.value.detail)) == ("bad_annotation", 500)


def test_a_caller_that_leaves_early_leaves_nothing(own_box):
    messages = own_box.call("good", b"", count=40)
    next(messages)
    messages.close()
    assert server(own_box).children() == []
    assert [message["number"] for message in call(own_box, "good", count=2)] == [0, 1]


def test_calls_at_once_do_not_mix(box):
    def numbers(found):
        found.append([header["number"] for header, _ in box.call("good", b"", count=20)])

    found = []
    threads = [threading.Thread(target=numbers, args=(found,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    within = [header["number"] for header, _ in box.call("good", b"", count=20) if call(box, "pid")]
    for thread in threads:
        thread.join()
    assert [*found, within] == [list(range(20))] * 5


def test_modules_load_late_and_names_of_the_file_work(box):
    assert call(box, "import_late") == [{"name": "xml.dom.minidom"}]
    assert call(box, "reopen", __file__, fresh=True)[0]["text"] == Path(__file__).read_text()


def test_no_connection_is_left_open(own_box):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(own_box, "pid")
        server(own_box).kill()
        call(own_box, "pid", fresh=True)
        own_box.close()
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_all_ends_with_the_caller():
    program = f"""
from workers.sandbox.client import Sandbox
from workers.sandbox.limits import SandboxLimits
for header, _ in Sandbox("{TASKS}", SandboxLimits()).call("hang", b""):
    print(header, flush=True)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3], text=True
    )
    assert parent.stdout.readline() == "{'number': 0}\n"
    family = psutil.Process(parent.pid).children(recursive=True)
    assert len(family) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone, alive = psutil.wait_procs(family, timeout=120)
    assert len(gone) == 2 and not alive


def test_the_server_needs_nothing_of_its_client():
    program = (
        "import sys, workers.sandbox.server; print({'pydantic', 'pyarrow', 'torch', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "set()\n"
