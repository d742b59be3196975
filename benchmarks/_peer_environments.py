"""The environments of the engines that `benchmarks.peers` compares with, each made at its first use."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS, VENVS = ROOT / "benchmarks" / "_peers", ROOT / ".venv-peers"
COMMON = ["torch==2.15.0", "torchvision", "open_clip_torch==3.3.0", "av==18.1.0", "torchcodec==0.17.0", "pillow"]
CLIP_VIDEO_ENCODE = "webdataset pandas pyarrow fsspec braceexpand fire requests youtube_dl opencv-python-headless"
# Script, Python, packages beside the common ones, packages that are installed without their outdated demands.
PEERS: dict[str, tuple[str, str, list[str], list[str]]] = {
    "script": ("script", "3.11", [], []),
    "daft": ("daft_peer", "3.11", ["daft==0.7.26", "pyarrow"], []),
    "raydata": ("raydata_peer", "3.11", ["ray[data]==2.60.0", "webdataset"], []),
    "clip-video-encode": (
        "clip_video_encode_peer",
        "3.11",
        CLIP_VIDEO_ENCODE.split(),
        ["clip-video-encode==1.3.0", "video2numpy==2.3.0"],
    ),
    "xenna": ("xenna_peer", "3.12", ["cosmos-xenna==0.5.12"], []),
}
LIMIT_S = 900


class Unmeasured(Exception):
    """Why a peer has no figure."""


def run(command: list[str], **options: Any) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S, check=False, **options
    )
    if done.returncode:
        raise Unmeasured(" ".join(done.stdout.split())[-300:])


def python_of(version: str) -> str:
    """An interpreter of this version, on the path or among those of pyenv."""
    found = shutil.which(f"python{version}")
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}*/bin/python"))
    if not found and not installed:
        raise Unmeasured(f"no Python {version} on this machine")
    return str(installed[0]) if installed else str(found)


def environment(name: str) -> Path:
    """The environment of a peer, made where it is not there yet."""
    _, version, packages, bare = PEERS[name]
    venv = VENVS / name
    if (venv / "made").exists():
        return venv
    uv = str(Path(sys.executable).parent / "uv")
    run([uv, "venv", "--clear", "--python", python_of(version), str(venv)])
    install = [uv, "pip", "install", "--python", str(venv / "bin" / "python")]
    run([*install, *COMMON, *packages])
    if bare:
        run([*install, "--no-deps", *bare])
    link_ffmpeg(venv)
    (venv / "made").touch()
    return venv


def link_ffmpeg(venv: Path) -> None:
    """Links the plain names of FFmpeg's libraries, for which torchcodec asks, to the hashed ones of PyAV's wheel."""
    (venv / "ffmpeg").mkdir(exist_ok=True)
    for library in venv.glob("lib/*/site-packages/av.libs/lib*.so.*"):
        plain = re.sub(r"-[0-9a-f]{8}(\.so\.\d+).*", r"\1", library.name)
        for name in (plain, library.name):
            (venv / "ffmpeg" / name).symlink_to(".." / library.relative_to(venv))  # stays right where venv is moved


def torchcodec_variables() -> dict[str, str]:
    """Environment variables with which a new process of this Python finds the torchcodec of the peers.

    Raises Unmeasured where `benchmarks.peers` has not made their environment, or made it for another Python.
    """
    venv = VENVS / "script"
    package = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages" / "torchcodec"
    if not (venv / "made").exists() or not package.is_dir():
        raise Unmeasured("torchcodec is not installed; `python -m benchmarks.peers` makes an environment with it")
    (venv / "only").mkdir(exist_ok=True)
    if not (link := venv / "only" / "torchcodec").exists():
        link.symlink_to(".." / package.relative_to(venv))
    paths = [str(ROOT), str(venv / "only"), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {"PYTHONPATH": os.pathsep.join(paths), "LD_LIBRARY_PATH": str(venv / "ffmpeg")}
