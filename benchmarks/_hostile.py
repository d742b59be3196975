"""A build over hostile inputs: each ends in the corpus or as a reject row with a reason, and stops no other video."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks._memory import family_peak_mb
from pipeline.demo import write_demo

CASES = Path(__file__).resolve().parents[1].parent / "shared" / "cases" / "security"
SETTINGS = ("shard.min_frames=1", "select.k=4")
SUBTITLES = ("entity.srt", "brackets.srt", "marks.srt", "rolling.srt")
EVENT_FILES = ("int400.events.jsonl", "int5000.events.jsonl")
MANIFESTS = ("conversation_inf.jsonl", "conversation_surrogate.jsonl", "emoji.jsonl", "nulsub.jsonl", "longuri.jsonl")
MEDIA = ("equal_seconds.mkv", "rle_20000.mov", "forces_decord.mp4")


@dataclass(frozen=True)
class Ending:
    """How one input ended: in the corpus, rejected with a reason, or wrongly."""

    name: str
    is_right: bool
    what: str


def write_manifest(folder: Path) -> Path:
    """A manifest with one good video, and a row for each hostile input, beside its files."""
    world = write_demo(folder / "world", videos=1, seconds=40, seed=5)
    video = world.parent / json.loads(world.read_text().splitlines()[0])["uri"]
    event = {"start_s": 1, "end_s": 4, "kind": "event", "text": "a dog runs over the road"}
    for name in ("good.mp4", "other.mp4", "a.mp4"):
        shutil.copy(video, folder / name)
    rows = [
        {"id": "good", "uri": "good.mp4", "events": [event, {**event, "start_s": 6, "end_s": 9, "text": "a cat sits"}]}
    ]
    for name in MANIFESTS:
        for line in (CASES / name).read_text().splitlines():
            row = json.loads(line)
            if row.get("id") != "good":
                rows.append({**row, "id": name})
    for name in (*SUBTITLES, *EVENT_FILES, *MEDIA):
        shutil.copy(CASES / name, folder / name)
    rows += [{"id": name, "uri": "other.mp4", "subtitles": [name]} for name in SUBTITLES]
    rows += [{"id": name, "uri": "other.mp4", "events_file": name} for name in EVENT_FILES]
    rows += [{"id": name, "uri": name, "events": [event]} for name in MEDIA]
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def command(manifest: Path, corpus: Path) -> list[str]:
    """The words of `longvid` that build the corpus."""
    settings = [word for text in SETTINGS for word in ("--set", text)]
    return ["build", "--manifest", str(manifest), "--out", str(corpus), "--recipe", "demo", *settings]


def build(manifest: Path, corpus: Path) -> subprocess.CompletedProcess:
    """Builds the corpus as a user does, in a process and a Ray session of its own."""
    words = [sys.executable, "-m", "pipeline", *command(manifest, corpus)]
    return subprocess.run(words, capture_output=True, text=True)


def endings(folder: Path, build: Callable[[Path, Path], subprocess.CompletedProcess] = build) -> list[Ending]:
    """Builds the corpus in `folder`; gives how each input ended."""
    corpus = folder / "corpus"
    done = build(write_manifest(folder), corpus)
    said = (done.stdout + done.stderr)[-800:]
    found = [Ending("exit code", done.returncode == 0, said if done.returncode else "0")]
    tables = corpus / "tables"
    if not (tables / "samples.parquet").is_file():
        return [*found, Ending("corpus", False, "no table samples")]
    read = [duckdb.read_parquet(str(tables / f"{name}.parquet")) for name in ("videos", "rejects", "samples")]
    videos, rejects, samples = (relation.to_arrow_table().to_pylist() for relation in read)
    sampled = {row["name"] for row in samples}
    found.append(Ending("good video in the shard", "good" in sampled, f"{len(sampled)} videos in samples"))
    reasons: dict[str, list[str]] = {}
    for row in rejects:
        reasons.setdefault(row["name"], []).append(row["reason"])
    built = {row["name"] for row in videos}
    for name in (*MANIFESTS, *SUBTITLES, *EVENT_FILES, *MEDIA):
        why = reasons.get(name, [])
        is_right = (name in built or bool(why)) and "failed" not in why
        found.append(Ending(name, is_right, ", ".join(why) or ("in the corpus" if name in built else "lost")))
    return found


def bomb(folder: Path) -> Ending:
    """A Parquet manifest of 4 kB that would take 6 GB: refused by one line, in little memory."""
    folder.mkdir(exist_ok=True)
    start = time.monotonic()
    words = [sys.executable, "-m", "pipeline", *command(CASES / "bomb.parquet", folder / "bomb")]
    with (folder / "bomb.out").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said)
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, family_peak_mb(process.pid))
            time.sleep(0.02)
        said.seek(0)
        text = said.read()
    is_short = len(text.strip().splitlines()) <= 2 and "Traceback" not in text
    is_right = process.returncode == 2 and is_short and 0 < peak_mb < 2000
    what = f"exit code {process.returncode}, {peak_mb:.0f} MB, {time.monotonic() - start:.0f} s"
    return Ending("bomb.parquet", is_right, what)
