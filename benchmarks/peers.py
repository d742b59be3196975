"""Whole builds of other engines and of longvid on the same files, side by side: files on disk to results on disk.

    python -m benchmarks.peers [--rounds N] [--only NAME ...] [--tower demo vitb32] [--work embed frames]

Every engine samples one frame per second, embeds it with the same tower, on two cores with one torch thread per tower,
and writes to disk. `five` is the five long videos, `fifteen` three remuxed copies of each with other titles: the
marginal time is half of the difference, the fixed time what five take beyond it. Wall time, imports and start included;
the best of rounds that take turns. Each engine has an environment of its own in `.venv-peers/`, made at the first run
(10 GB of disk); an engine that cannot be installed or fails is reported as unmeasured, with the reason.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import open_clip

from benchmarks._measure import at_least, report, seconds
from benchmarks._peer_environments import PEERS, ROOT, SCRIPTS, Unmeasured, environment, run
from benchmarks._tiny_towers import save_tower
from benchmarks.ingest import VIDEOS

ENGINES = ("daft", "raydata", "clip-video-encode", "xenna")
OURS = ("longvid", "longvid build")
Times = dict[tuple[str, str, str, str], float]  # name, list, tower, work -> seconds


def peer_seconds(name: str, media: Path, tower: Path, work: str, folder: Path) -> float:
    venv = environment(name)
    if work == "frames" and name not in ("script", "raydata"):
        raise Unmeasured("writes no JPEG files of the native size")
    listed, temporary = folder / "list.txt", folder / "tmp"
    listed.write_text("\n".join(map(str, videos(media))))
    temporary.mkdir()
    environ = {
        **{key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ},
        "PATH": f"{venv / 'bin'}:/usr/bin:/bin",
        "PYTHONPATH": str(SCRIPTS),
        "LD_LIBRARY_PATH": str(venv / "ffmpeg"),
        "TMPDIR": str(temporary),
        "RAY_USAGE_STATS_ENABLED": "0",
        "DO_NOT_TRACK": "1",
        "LIST": str(listed),
        "OUT": str(folder / "out"),
        "TOWER": str(tower),
        "WORK": work,
    }
    return timed([str(venv / "bin" / "python"), str(SCRIPTS / f"{PEERS[name][0]}.py")], env=environ)


def our_seconds(name: str, media: Path, tower: Path, work: str, folder: Path) -> float:
    size = 4320 if work == "frames" else 224 if tower.name == "vitb32" else 144  # 4320: smaller videos keep their size
    settings = [f"decode.short_side={size}", f"embed.tower.model=local-dir:{tower}"]
    if tower.name == "vitb32":
        settings.append("embed.resources.workers=[2,2]")
    if name == "longvid build":
        return built_seconds(media, folder, settings)
    manifest, corpus = folder / "manifest.jsonl", folder / "corpus"
    rows = ({"id": path.stem, "uri": str(path)} for path in videos(media))
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    stages = "download,shard,decode" + (",embed" if work == "embed" else "")
    module = [sys.executable, "-m", "benchmarks._whole_build"]
    return timed([*module, str(manifest), str(corpus), stages, *settings])


def built_seconds(media: Path, folder: Path, settings: list[str]) -> float:
    """All phases, with the subtitles and events in the folder of the videos; listing them is not timed."""
    longvid, manifest = str(Path(sys.executable).parent / "longvid"), str(folder / "manifest.jsonl")
    run([longvid, "manifest", str(media), "--out", manifest], cwd=ROOT)
    options = [word for setting in settings for word in ("--set", setting)]
    corpus = str(folder / "corpus")
    return timed([longvid, "build", "--manifest", manifest, "--out", corpus, "--recipe", "demo", *options])


def timed(command: list[str], **options: Any) -> float:
    return seconds(lambda: run(command, cwd=ROOT, **options), 1, warm=False)


def videos(media: Path) -> list[Path]:
    return sorted(path for path in media.iterdir() if path.suffix in (".mp4", ".mkv"))


def copy_media(folder: Path, copies: int) -> Path:
    """Each long video `copies` times, remuxed with another title, with its subtitles and events under the new name."""
    folder.mkdir()
    for path in videos(VIDEOS):
        for copy in range(copies):
            name = f"{path.stem}_{copy}"
            title = ["-metadata", f"title={name}", str(folder / f"{name}{path.suffix}")]
            run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0", "-c", "copy", *title])
            for beside in VIDEOS.glob(f"{path.stem}.*"):
                if beside != path:
                    (folder / f"{name}{beside.name.removeprefix(path.stem)}").symlink_to(beside)
    return folder


def vit_b_32(folder: Path) -> Path:
    """A tower of CLIP's usual size, with random weights."""
    config = open_clip.get_model_config("ViT-B-32")
    prepare = {"mean": [0.4815, 0.4578, 0.4082], "std": [0.2686, 0.2613, 0.2758], "resize_mode": "squash"}
    text = {"text_cfg": config["text_cfg"]}
    save_tower(folder, config["vision_cfg"], embed_dim=config["embed_dim"], preprocess=prepare, **text)
    return folder


# Each run that a figure needs: name, list, tower, work.
ALL = (*OURS, *PEERS)
RUNS = [
    *((name, media, "demo", "embed") for media in ("five", "fifteen") for name in ALL),
    *((name, "fifteen", "demo", "frames") for name in ("longvid", "script", "raydata")),
    *((name, "five", "vitb32", "embed") for name in ("longvid", "script")),
]


def measure(runs: list[tuple[str, str, str, str]], rounds: int, folder: Path) -> Times:
    """Best seconds of each run; what fails is reported once and left out."""
    media = {"five": copy_media(folder / "five", 1), "fifteen": copy_media(folder / "fifteen", 3)}
    towers = {"demo": ROOT / "pipeline" / "demo" / "clip", "vitb32": vit_b_32(folder / "vitb32")}
    best: Times = {}
    failed: set[tuple[str, str, str, str]] = set()
    for each in runs * rounds:
        if each in failed:
            continue
        name, listed, tower, work = each
        with tempfile.TemporaryDirectory(dir=folder) as own:
            try:
                side = our_seconds if name in OURS else peer_seconds
                seconds = side(name, media[listed], towers[tower], work, Path(own))
            except (Unmeasured, subprocess.TimeoutExpired, OSError) as error:
                failed.add(each)
                report(" ".join(each), None, "s", None, None, why=f"{error}"[:300])
                continue
        best[each] = min(seconds, best.get(each, seconds))
        report(" ".join(each), seconds, "s", None, None)
    return best


def ratio(figure: str, bar: float, theirs: Iterable[float | None], ours: float | None) -> None:
    """Seconds of the fastest of them over ours; unmeasured where one side has none."""
    ran = [seconds for seconds in theirs if seconds is not None]
    if not ran or ours is None:
        report(figure, None, "ratio", f">= {bar:g}", None, why="not measured")
    else:
        at_least(figure, min(ran) / ours, "ratio", bar)


def figures(best: Times) -> None:
    def wall(name: str, media: str = "fifteen", tower: str = "demo", work: str = "embed") -> float | None:
        return best.get((name, media, tower, work))

    def marginal(name: str) -> float | None:
        few, many = wall(name, "five"), wall(name)
        return None if few is None or many is None else (many - few) / 2

    def fixed(name: str) -> float | None:
        few, more = wall(name, "five"), marginal(name)
        return None if few is None or more is None else few - more

    walls = [wall(name) for name in ENGINES]
    ratio("marginal time: fastest engine / longvid", 2.0, map(marginal, ENGINES), marginal("longvid"))
    ratio("marginal time: script / longvid", 1.2, [marginal("script")], marginal("longvid"))
    ratio("fifteen files: fastest engine / longvid", 1.5, walls, wall("longvid"))
    ratio("fifteen files: script / longvid", 1.0, [wall("script")], wall("longvid"))
    ratio("fifteen files: fastest engine's embedding / whole longvid build", 1.1, walls, wall("longvid build"))
    for name, bar in (("script", 1.2), ("raydata", 1.8)):
        ours = wall("longvid", work="frames")
        ratio(f"frames to disk, fifteen files: {name} / longvid", bar, [wall(name, work="frames")], ours)
    ratio("fixed time: daft / longvid", 1.0, [fixed("daft")], fixed("longvid"))
    ours = wall("longvid", "five", "vitb32")
    ratio("ViT-B-32, five files: script / longvid", 1.0, [wall("script", "five", "vitb32")], ours)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=ALL, default=list(ALL), metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--tower", nargs="+", choices=("demo", "vitb32"), default=["demo", "vitb32"])
    parser.add_argument("--work", nargs="+", choices=("embed", "frames"), default=["embed", "frames"])
    given = parser.parse_args()
    runs = [run for run in RUNS if run[0] in given.only and run[2] in given.tower and run[3] in given.work]
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        figures(measure(runs, given.rounds, Path(folder)))


if __name__ == "__main__":
    main()
