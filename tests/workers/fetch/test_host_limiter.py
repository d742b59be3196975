import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from schemas.rejects import Reject
from workers.fetch.host_limiter import HostLimiter, _file_name


def test_no_more_than_its_slots_ask_a_host_at_once(tmp_path):
    now, most, lock = 0, 0, threading.Lock()

    def ask(host):
        nonlocal now, most
        with HostLimiter(2, 60, tmp_path).slot(host):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.05)
            with lock:
                now -= 1

    threads = [threading.Thread(target=ask, args=(host,)) for host in ["one", "ONE"] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_hosts_do_not_wait_for_each_other(tmp_path):
    gate = HostLimiter(1, 60, tmp_path)
    with gate.slot("one"), gate.slot("two"):
        pass


class Clock:
    """Stands still but for what is slept."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def time(self) -> float:
        return self.now_s

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_a_pause_is_kept_by_all(tmp_path, monkeypatch):
    monkeypatch.setattr("workers.fetch.host_limiter.time", Clock())
    HostLimiter(1, 60, tmp_path).pause("one", 30)
    HostLimiter(1, 60, tmp_path).pause("one", 10)  # a shorter one does not end it
    with HostLimiter(1, 60, tmp_path).slot("two") as waited_s:
        assert waited_s == 0
    with HostLimiter(1, 60, tmp_path).slot("one") as waited_s:
        assert waited_s == pytest.approx(30)


def test_who_reads_a_pause_while_it_is_made_longer_reads_all_of_it(tmp_path):
    gate = HostLimiter(1, 60, tmp_path)
    gate.pause("one", 30)
    path = tmp_path / f"{_file_name('one')}.pause"
    told = path.read_text()
    with path.open() as reader:
        gate.pause("one", 3000)
        assert reader.read() == told
    assert path.read_text() != told


def test_a_killed_process_holds_no_slot(tmp_path):
    program = f"""
import time
from pathlib import Path
from workers.fetch.host_limiter import HostLimiter
with HostLimiter(1, 60, Path({str(tmp_path)!r})).slot("one"):
    print("in", flush=True)
    time.sleep(60)
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3], text=True
    )
    assert holder.stdout.readline() == "in\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with HostLimiter(1, 60, tmp_path).slot("one"):
        pass


def test_a_pause_that_is_too_long_is_not_waited_for(tmp_path):
    HostLimiter(1, 60, tmp_path).pause("one", 1e9)  # kept for a week at most
    with pytest.raises(Reject, match="unreachable: one asked for a pause of another 6048.. s"):
        HostLimiter(1, 60, tmp_path).slot("one").__enter__()
    HostLimiter(1, 60, tmp_path)._acquire(_file_name("one")).close()  # its slot is free again
