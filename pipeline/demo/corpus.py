"""Renders demo videos with their manifest: what `make demo` starts from."""

import json
import random
from pathlib import Path

from pipeline.demo.encode import encode
from pipeline.demo.render import frames
from pipeline.demo.scenery import HEIGHT, WIDTH
from pipeline.demo.script import Script, write_script
from pipeline.demo.sound import sound
from pipeline.demo.texts import sentence

FPS = 8


def write_demo(out: Path, *, videos: int, seconds: int, seed: int) -> Path:
    """Renders videos of `seconds` to 1.15 x `seconds` into `out`; gives the path of `manifest.jsonl` beside them.

    Frames, sound and manifest are the same for the same arguments. The last quarter (at least one, where there are two
    or more) is of the split `val`. Raises ValueError for fewer than one video or less than 30 s.
    """
    if videos < 1:
        raise ValueError(f"videos = {videos}: at least 1 is needed")
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    num_val = max(1, videos // 4) if videos > 1 else 0
    rows = []
    for index in range(videos):
        script = script_of(index, seconds=seconds, seed=seed)
        name = f"demo-{seed}-{index:03d}"
        video = out / f"{name}.mp4"
        video.unlink(missing_ok=True)  # a link, in a folder of someone else, would be written through
        render_video(video, script)
        rows.append(manifest_row(name, script, split="val" if index >= videos - num_val else "train"))
    manifest = out / "manifest.jsonl"
    # Last and at once: where there is a manifest, all its videos are whole.
    unfinished = manifest.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.write_text("".join(json.dumps(row) + "\n" for row in rows))
    unfinished.replace(manifest)
    return manifest


def script_of(index: int, *, seconds: int, seed: int) -> Script:
    """Returns the script of video `index` of a demo corpus."""
    rng = random.Random(f"{seed}/{index}")
    return write_script(float(seconds + rng.randint(0, seconds * 15 // 100)), rng.getrandbits(32))


def render_video(path: Path, script: Script) -> None:
    """Draws and encodes one script."""
    packed = (frame.tobytes() for frame in frames(script, FPS))
    encode(path, packed, width=WIDTH, height=HEIGHT, fps=FPS, audio=sound(script))


def manifest_row(name: str, script: Script, *, split: str) -> dict:
    """Returns the video's row of the manifest; its events and scenes in order of time."""
    spans = [(event.start_s, event.end_s, "event", sentence(event.act)) for event in script.events]
    spans += [(scene.start_s, scene.end_s, "scene", scene.name) for scene in script.scenes]
    events = [{"start_s": s, "end_s": e, "kind": kind, "text": text} for s, e, kind, text in sorted(spans)]
    return {
        "id": name,
        "uri": f"{name}.mp4",
        "licence": "CC0-1.0",
        "annotation_licence": "CC0-1.0",
        "source": "demo",
        "split": split,
        "events": events,
    }
