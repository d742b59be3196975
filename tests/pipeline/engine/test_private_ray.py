"""The Ray of a local build is reached by its own user only: sockets, token, folder and processes of a real session."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.ray

SESSION = """
import json, os, psutil, ray
from contextlib import suppress
from pipeline.engine.cluster import ray_session
class Kept:
    def __call__(self, batch):
        return batch
with ray_session(2):
    assert ray.data.range(2).map_batches(Kept, concurrency=1).take_all() == [{"id": 0}, {"id": 1}]
    tree = psutil.Process().children(recursive=True)
    sockets = []
    for process in tree:
        with suppress(psutil.Error):
            sockets += process.net_connections("inet")
    listening = sorted({c.laddr.ip for c in sockets if c.status == psutil.CONN_LISTEN})
    folder = ray._private.worker._global_node.get_session_dir_path()
    seen = {"listening": listening, "folder": folder, "token": os.environ["RAY_AUTH_TOKEN"]}
    seen["commands"] = []
    for process in tree:
        with suppress(psutil.Error):  # it has ended meanwhile, as what asks the fork server does
            seen["commands"].append(" ".join(process.cmdline()))
    print(json.dumps(seen | {"processes": [p.pid for p in tree]}))
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")} | {"HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", SESSION], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *before, last = done.stdout.splitlines()
    return json.loads(last) | {"home": home, "output": "\n".join(before) + done.stderr}


def test_it_listens_on_loopback_only(session):
    assert session["listening"]
    assert {ip.removeprefix("::ffff:") for ip in session["listening"]} == {"127.0.0.1"}


def test_its_folder_is_closed_to_other_users(session):
    around = Path(session["folder"]).parents[1]
    assert around.name.startswith("longvid-ray-")
    assert around.stat().st_mode & 0o077 == 0


def test_its_token_is_in_no_file_and_in_no_output(session):
    assert len(session["token"]) == 64
    assert session["token"] not in session["output"]
    assert not list(session["home"].rglob("*token*"))
    for path in Path(session["folder"]).rglob("*"):
        assert not path.is_file() or session["token"].encode() not in path.read_bytes()


def test_none_of_its_processes_is_left(session):
    for pid in session["processes"]:
        with suppress(psutil.NoSuchProcess):  # it has ended
            process = psutil.Process(pid)
            if process.environ().get("RAY_AUTH_TOKEN") == session["token"]:
                process.wait(30)  # workers end when they find that Ray has


def test_it_has_no_processes_that_no_build_uses(session):
    commands = "\n".join(session["commands"])
    assert "raylet" in commands and "ray::" in commands
    agents, actors = ("DashboardAgent", "RuntimeEnvAgent"), ("StatsActor", "Coordinator", "LocationTracker")
    unused = ("dashboard/dashboard.py", "monitor.py", *agents, *actors)
    assert [name for name in unused if name in commands] == []


def test_a_session_of_ray_train_makes_the_environments_of_tasks():
    script = """
import os, ray
from pipeline.engine.cluster import ray_session
with ray_session(2, runtime_env=True):
    task = ray.remote(runtime_env={"env_vars": {"MADE": "yes"}})(lambda: os.environ["MADE"])
    assert ray.get(task.remote()) == "yes"
"""
    subprocess.run([sys.executable, "-c", script], check=True)
