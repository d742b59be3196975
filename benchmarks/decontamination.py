"""Benchmark videos in a corpus: exact files, copies encoded again, and cuts found; other sequences found by mistake.

The corpus holds real videos, of the folder next to the checkout, and demo videos; the benchmark is a folder of their
copies, as `longvid decontaminate` takes it. False hits are counted over stretches of 30 seconds of these videos, each
searched for in all other videos.

    python -m benchmarks.decontamination [--folder DIR]     # DIR keeps videos and corpus for another run
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from benchmarks._measure import at_least, at_most, report
from pipeline.build import build
from pipeline.decontaminate import decontaminate
from pipeline.decontamination.sequences import AGREE, embedded_videos
from pipeline.demo import write_demo
from pipeline.inputs.recipe import load_recipe
from stages.find_duplicates import Seconds, read_seconds, read_shifts
from workers.shots.sequence_search import search
from workers.shots.sequence_windows import windows_of
from workers.storage.store import Store

SHARED = Path(__file__).parents[2] / "shared" / "videos"
LEFT_OUT = ("decord_corrupted.mp4", "edit_list_empty5s.mp4")  # damaged, so that each decoder shows something else
LEAST_S, DEMO_VIDEOS, DEMO_S = 3.0, 6, 70
COPIED_S = 90  # of a long video, so that encoding it stays cheap
CUT_S, OTHERS = 30, 2000
X264 = ["-c:v", "libx264", "-preset", "ultrafast"]
CHANGES = {
    "encoded again": [*X264, "-crf", "36"],
    "another codec and size": ["-vf", "scale=-2:144", "-c:v", "mpeg4", "-q:v", "7"],
    "another frame rate": ["-r", "12", "-g", "50", *X264, "-crf", "28"],
}
STILL = load_recipe("demo").find_duplicates.still


def originals(folder: Path) -> dict[str, tuple[Path, float]]:
    """Videos and their seconds, by a name of their own, since ids are compared as well."""
    facts = [json.loads(line) for line in (SHARED / "facts.jsonl").read_text().splitlines()]
    kept = [f for f in facts if Path(f["path"]).name not in LEFT_OUT and (f["decoded_duration_s"] or 0) >= LEAST_S]
    found = {f"real{n:02}": (SHARED / f["path"], f["decoded_duration_s"]) for n, f in enumerate(kept)}
    if not (folder / "demo").is_dir():
        write_demo(folder / "demo", videos=DEMO_VIDEOS, seconds=DEMO_S, seed=77)
    for number, path in enumerate(sorted((folder / "demo").glob("*.mp4"))):
        found[f"demo{number:02}"] = path, float(DEMO_S)
    return found


def make_copies(videos: dict[str, tuple[Path, float]], folder: Path) -> None:
    """Writes `folder/KIND/NAME[-CUT].mp4`; exact ones are links."""
    for name, (path, seconds) in videos.items():
        exact = folder / "exact" / f"{name}{path.suffix}"
        exact.parent.mkdir(parents=True, exist_ok=True)
        if not exact.exists():
            exact.symlink_to(path)
        for kind, options in CHANGES.items():
            encode(path, ["-t", str(COPIED_S)], options, folder / kind / f"{name}.mp4")
        for cut, start_s in enumerate(cuts(seconds)):
            at = ["-ss", f"{start_s:.2f}", "-t", str(CUT_S)]
            encode(path, at, [*X264, "-crf", "28"], folder / "cut" / f"{name}-{cut}.mp4")


def cuts(seconds: float) -> list[float]:
    """Where cuts begin: none of a video that is hardly longer, three of a long one."""
    shares = (0.15, 0.45, 0.8) if seconds > 100 else (0.5,) if seconds > CUT_S + 4 else ()
    return [(seconds - CUT_S) * share for share in shares]


def encode(source: Path, part: list[str], options: list[str], target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".part.mp4")
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-y", "-i", str(source), *part, *options]
        subprocess.run([*ffmpeg, "-pix_fmt", "yuv420p", "-an", str(unfinished)], check=True)
        unfinished.rename(target)


def found_share(videos: dict[str, tuple[Path, float]], corpus: str, copies: Path) -> None:
    """Copies that are found, of each kind and world; and other videos that are found for them."""
    rows = decontaminate(corpus, [str(copies)], say=lambda line: None)
    rows = [row for row in rows if row["found_by"] in ("file", "sequence")]
    films = {name: path.stem for name, (path, _) in videos.items()}  # two files may be of one film
    names = {row["found"]: Path(row["found"]).stem.partition("-")[0] for row in rows}
    right = {(row["found_by"], row["found"]) for row in rows if names[row["found"]] == row["name"]}
    wrong = {(row["found"], row["name"]) for row in rows if films[names[row["found"]]] != films[row["name"]]}
    for kind in ("exact", *CHANGES, "cut"):
        for world in ("real", "demo"):
            made = [path.name for path in sorted((copies / kind).iterdir()) if path.stem.startswith(world)]
            by = {name: ("file", name) if kind == "exact" else ("sequence", f"{kind}/{name}") for name in made}
            missed = [name for name in made if by[name] not in right]
            told = {"copies": len(made), "missed": missed}
            share = 100 * (1 - len(missed) / len(made))
            at_least(f"{world} videos, {kind}: found", share, "%", 95 if kind == "cut" else 100, **told)
    pairs = sum(path.is_file() for path in copies.rglob("*")) * (len(videos) - 1)
    figure = "pairs of a copy and another video found by mistake"
    at_most(figure, 100 * len(wrong) / pairs, "%", 0.1, pairs=pairs, wrong=sorted(wrong)[:10])


def false_hits(videos: dict[str, tuple[Path, float]], corpus: str) -> None:
    """Stretches of real and demo videos, each searched for in all other videos."""
    store = Store(corpus)
    embedded = embedded_videos(store)
    seconds = [read_seconds(video, store) for video in embedded]
    shifts = [[each.descriptors_ND for each in read_shifts(video, store)] for video in embedded]
    known = [windows_of(each, still=STILL) for each in shifts]
    films = [videos[video["name"]][0].stem for video in embedded]
    false = set()
    for number, (owner, stretch) in enumerate(stretches(seconds)):
        others = [n for n, film in enumerate(films) if film != films[owner]]
        false |= {(number, films[owner], films[n]) for n in others if search(known[n], stretch, agree=AGREE)}
    share = 100 * len({number for number, _, _ in false}) / OTHERS
    pairs = sorted({(own, other) for _, own, other in false})
    at_most("other sequences of 30 s found by mistake", share, "%", 0.1, sequences=OTHERS, pairs=pairs[:10])


def stretches(videos: list[Seconds]) -> Iterator[tuple[int, np.ndarray]]:
    """Of each video as many, at places that are drawn; the whole of a shorter video."""
    rng = np.random.default_rng(5)
    for number in range(OTHERS):
        owner = number % len(videos)
        seconds = videos[owner].descriptors_ND
        start = int(rng.integers(0, max(1, len(seconds) - CUT_S + 1)))
        yield owner, seconds[start : start + CUT_S]


def measure(folder: Path) -> None:
    videos = originals(folder)
    make_copies(videos, folder / "benchmark")
    manifest, corpus = folder / "manifest.jsonl", str(folder / "corpus")
    rows = [{"id": name, "uri": str(path)} for name, (path, _) in videos.items()]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = build(manifest, corpus, load_recipe("demo"), say=lambda line: None)
    assert not summary.rejects and not summary.failures, (summary.rejects, summary.failures)
    report("videos in the corpus", len(videos), "videos", None, None)
    found_share(videos, corpus, folder / "benchmark")
    false_hits(videos, corpus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path)
    folder = parser.parse_args().folder
    if not SHARED.is_dir():
        report("benchmark videos found", None, "%", None, None, why=f"the real videos are not here: {SHARED}")
    elif folder:
        folder.mkdir(parents=True, exist_ok=True)
        measure(folder)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            measure(Path(temporary))


if __name__ == "__main__":
    main()
