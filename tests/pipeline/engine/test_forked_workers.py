"""Workers of a local session are forked from the fork server: what they are, and what is left when one of them ends."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pipeline.engine import forked_workers
from pipeline.engine.forked_workers import BUILD, fork_server_of_new
from pipeline.inputs.recipe import load_recipe

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only"),
]

SESSION = """
import json, os, psutil, sys
from pathlib import Path
from pipeline.engine.cluster import ray_session

def facts():
    oom_score_adj = Path("/proc/self/oom_score_adj").read_text().strip()
    parent = psutil.Process().parent()
    return {
        "pid": os.getpid(), "parent": parent.pid if parent else 0,
        "imported": sorted({"ray.data", "tomllib"} & {*sys.modules}),
        "group": os.getpgid(0), "given": os.environ.get("GIVEN"), "folder": os.getcwd(), "oom_score_adj": oom_score_adj,
    }

with ray_session(2, imports=["ray.data", "tomllib"]):
    import ray
    task = ray.remote(facts)
    processes = psutil.Process().children(recursive=True)
    kept = ray.remote(num_cpus=1)(type("Kept", (), {"facts": lambda self: facts()}))
    (server,) = (p for p in processes if "pipeline.engine.fork_server" in p.cmdline())
    seen = {"server": server.pid, "first": ray.get(task.remote())}
    THEN
"""


def session(then: str, tmp_path) -> tuple[dict, int]:
    """What a session in a process of its own prints as JSON at its end, and its exit code."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")} | {"GIVEN": "yes"}
    path = os.pathsep.join(filter(None, [str(Path.cwd()), environment.get("PYTHONPATH")]))
    command = [sys.executable, "-c", SESSION.replace("THEN", then)]
    done = subprocess.run(
        command, env=environment | {"PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert '{"server"' in done.stdout, done.stderr
    said = done.stdout[done.stdout.index('{"server"') :]  # before and after it, Ray may report lost workers
    return json.JSONDecoder().raw_decode(said)[0], done.returncode


def test_workers_are_forked_and_have_the_modules_environment_and_folder_that_they_need(tmp_path):
    seen, code = session("print(json.dumps(seen))", tmp_path)
    worker = seen["first"]
    assert code == 0
    assert worker["parent"] == seen["server"]
    assert worker["imported"] == ["ray.data", "tomllib"]
    assert (worker["given"], worker["folder"]) == ("yes", str(tmp_path))
    assert worker["oom_score_adj"] == "1000"  # as Ray sets it: workers are ended before the driver


def test_each_worker_has_a_process_group_of_its_own(tmp_path):
    """Ray kills the group of a worker that has ended: neither the server nor another worker may be in it."""
    then = """
    for _ in range(4):
        actors = [kept.remote() for _ in range(2)]
        seen.setdefault("rounds", []).append(ray.get([actor.facts.remote() for actor in actors]))
    print(json.dumps(seen | {"group": os.getpgid(server.pid)}))
    """
    seen, code = session(then, tmp_path)
    assert code == 0
    for workers in seen["rounds"]:
        assert {worker["parent"] for worker in workers} == {seen["server"]}
        groups = {worker["group"] for worker in workers}
        assert len(groups) == 2
        assert seen["group"] not in groups


def test_workers_make_different_random_ids(tmp_path):
    """Two workers that make the same id of an object end one another."""
    then = """
    class Ids:
        def made(self): return [os.getpid(), *(ray.ObjectRef.from_random().hex() for _ in range(3))]
    actors = [ray.remote(num_cpus=0.5)(Ids).remote() for _ in range(4)]
    print(json.dumps(seen | {"made": ray.get([actor.made.remote() for actor in actors])}))
    """
    seen, code = session(then, tmp_path)
    assert code == 0
    made = [each for ids in seen["made"] for each in ids]
    assert len({*made}) == len(made) == 16


def test_a_request_that_is_none_ends_no_server(tmp_path):
    then = """
    import socket
    for sent in (b"", b"{", b"[]"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.environ["LONGVID_FORK_SERVER"])
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    seen["later"] = ray.get([actor.facts.remote() for actor in [kept.remote() for _ in range(2)]])
    print(json.dumps(seen))
    """
    seen, code = session(then, tmp_path)
    assert code == 0
    assert {worker["parent"] for worker in seen["later"]} == {seen["server"]}


def test_without_its_server_a_session_has_workers_of_ray(tmp_path):
    then = """
    forked = server.children()
    server.kill()
    psutil.wait_procs([server, *forked], timeout=60)  # workers end with the process that they were forked from
    actors = [kept.remote() for _ in range(2)]
    seen["later"] = ray.get([a.facts.remote() for a in actors])
    print(json.dumps(seen))
    """
    seen, code = session(then, tmp_path)
    assert code == 0
    assert {worker["given"] for worker in seen["later"]} == {"yes"}
    assert seen["first"]["pid"] not in [worker["parent"] for worker in seen["later"]]
    assert any("tomllib" not in worker["imported"] for worker in seen["later"])


def test_nothing_is_left_of_a_session_whose_driver_was_killed(tmp_path):
    then = """
    seen["processes"] = [p.pid for p in processes] + [seen["first"]["pid"]]
    seen["address"] = os.environ["LONGVID_FORK_SERVER"]
    print(json.dumps(seen), flush=True)
    os.kill(os.getpid(), 9)
    """
    seen, code = session(then, tmp_path)
    assert code == -signal.SIGKILL
    for pid in seen["processes"]:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                process.wait(60)
    assert not os.path.lexists(Path(seen["address"]).parent)


def test_a_build_imports_ahead_what_its_stages_import():
    stages = load_recipe("demo").stages(None)
    assert {name for stage in stages.values() for name in stage.imports} <= {*BUILD}


def test_where_it_cannot_be_started_there_is_none(monkeypatch):
    def closed(name: str) -> Path:
        raise PermissionError(f"{name} is open to other users")

    monkeypatch.setattr(forked_workers, "_running", [])
    monkeypatch.setattr(forked_workers, "scratch_folder", closed)
    monkeypatch.delenv("LONGVID_FORK_SERVER", raising=False)  # of the session that tests share
    with forked_workers.fork_server(BUILD), forked_workers.forking():
        assert not forked_workers._running
        assert "LONGVID_FORK_SERVER" not in os.environ


def test_it_is_started_for_new_local_corpora_only(tmp_path, monkeypatch):
    def servers() -> int:
        return len(forked_workers._running)

    monkeypatch.setattr(forked_workers, "_running", [])
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "corpus.json").write_text("{}")
    with fork_server_of_new(str(tmp_path / "new")):
        assert servers() == 1
    for corpus in (str(tmp_path / "built"), "s3://bucket/new"):
        with fork_server_of_new(corpus):
            assert servers() == 0
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    with fork_server_of_new(str(tmp_path / "new")):
        assert servers() == 0
