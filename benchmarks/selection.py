"""What the selection and the merging of our own gain over those of the papers, at the same number of tokens.

Selection (model/ops/dks/recurrent.py against DKS and uniform sampling, K = 8 each): share of the grounding
questions whose event is caught, and of the times of repeated events that are, on held-out demo videos (an event comes
back in another scene) and on a fixed camera (three things take turns in one scene). Merging, both on DFM's tokens:
model/ops/dfm/temporal_clusters.py against pooling every n frames, the error of what represents a frame at the same
number of tokens; and the share of tokens that model/ops/dfm/token_carry_over.py leaves out at a tolerance. On those
videos and on the real long ones where they are beside the checkout.

Run: `python -m benchmarks.selection [--videos 4] [--seed 1000]`. The tower is the demo's own CLIP.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image

from benchmarks._measure import report
from model.ops.dfm.merge import merge_sweep
from model.ops.dfm.temporal_clusters import merge_temporal_clusters
from model.ops.dfm.token_carry_over import TokenCarryOver
from model.ops.dks.keyframes import Keyframes, select_keyframes
from model.towers.tower import Tower
from pipeline.demo import CLIP_DIR
from pipeline.demo.render import frames as render
from pipeline.demo.script import Event, Scene, Script, Standing, write_script
from pipeline.demo.texts import sentence
from pipeline.demo.world import DEEDS, SCENES, SLOTS, Act, all_things

K, SECONDS, BUDGETS, TOLERANCE = 8, 340, (4, 10), 0.1
Spans = list[tuple[float, float]]


def fixed_camera(seed: int) -> Script:
    """One scene for the whole video: a thing in each slot, each with its own deed, which take turns again and again."""
    rng = random.Random(seed)
    deeds = [
        Act(d, t) for d, t in zip(rng.sample(DEEDS, len(SLOTS)), rng.sample(all_things(), len(SLOTS)), strict=True)
    ]
    events, now = [], 4.0
    while now + 8 < SECONDS:
        slot, length = rng.randrange(len(SLOTS)), rng.uniform(3.5, 6.0)
        events.append(Event(now, now + length, deeds[slot], SLOTS[slot], SLOTS[slot]))
        now += length + rng.uniform(6, 14)
    busy = {slot: [(e.start_s, e.end_s) for e in events if e.x0 == slot] for slot in SLOTS}
    standings = []
    for slot, act in zip(SLOTS, deeds, strict=True):
        edges = [0.0, *(edge for span in busy[slot] for edge in span), float(SECONDS)]
        standings += [Standing(a, b, act.thing, slot) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    scene = Scene(0.0, float(SECONDS), rng.choice(SCENES))
    return Script(float(SECONDS), (scene,), tuple(events), tuple(standings))


def times_of(script: Script) -> dict[str, Spans]:
    spans: dict[str, Spans] = {}
    for event in script.events:
        spans.setdefault(sentence(event.act), []).append((event.start_s, event.end_s))
    return spans


def caught(keyframes: list[int], spans: Spans) -> int:
    return sum(any(start <= at < end for at in keyframes) for start, end in spans)


def selection(world: str, scripts: list[Script], tower: Tower) -> None:
    """Frame n of a rendered video is the one at n seconds."""
    found: dict[str, list[tuple[int, int]]] = {"uniform": [], "DKS": [], "recurrent": []}
    for script in scripts:
        images = torch.cat([tower.embed_images(batch) for batch in _batches(render(script, fps=1))])
        spans = list(times_of(script).items())
        questions = [f"How many times does the following happen: '{text}'?" for text, _ in spans]
        queries = tower.embed_texts(questions)
        ways: dict[str, Keyframes] = {
            "DKS": select_keyframes(images, queries, k=K),
            "recurrent": select_keyframes(images, queries, k=K, mode="recurrent"),
        }
        uniform = ((np.arange(K) + 0.5) * len(images) / K).astype(int).tolist()
        for row, (_, times) in enumerate(spans):
            found["uniform"].append((caught(uniform, times), len(times)))
            for way, keyframes in ways.items():
                found[way].append((caught(keyframes.of(row), times), len(times)))
    for way, counts in found.items():
        repeated = [(c, n) for c, n in counts if n > 1]
        share = np.mean([c > 0 for c, _ in counts])
        report(f"{world}: events caught, {way} {K}", share, "share", None, None, questions=len(counts))
        times = sum(c for c, _ in repeated) / sum(n for _, n in repeated)
        exact = float(np.mean([c == n for c, n in repeated]))
        report(f"{world}: times of repeated events caught, {way} {K}", times, "share", None, None, all_caught=exact)


def merging(name: str, frames: Iterator, tower: Tower, questions: list[str]) -> None:
    """Errors are relative to the length of the frame's own token, averaged over frames and questions."""
    features, joint, images = [], [], []
    for batch in _batches(frames):
        patches = tower.encode_patches(batch)
        features.append(patches.features)
        joint.append(patches.joint)
        images.append(tower.embed_images(batch))
    queries = tower.embed_texts(questions)
    chosen = select_keyframes(torch.cat(images), queries, k=K).indices
    tokens_QNC = torch.cat(list(merge_sweep(zip(features, joint, strict=True), queries, chosen)), dim=1)
    for share in BUDGETS:
        errors = np.array([[_error(x, _pooled(x, share)), _error(x, _in_clusters(x, share))] for x in tokens_QNC])
        theirs, ours = errors.mean(axis=0)
        figure = f"{name}: error of 1 token in {share} frames, pooling every {share} over clusters"
        report(figure, theirs / ours, "x", None, None, pooling=round(theirs, 4), clusters=round(ours, 4))
    left_out = 1 - TokenCarryOver(TOLERANCE)(tokens_QNC).float().mean().item()
    report(f"{name}: tokens left out by carry-over at a tolerance of {TOLERANCE}", left_out, "share", None, None)


def _pooled(tokens_NC: torch.Tensor, share: int) -> torch.Tensor:
    """Every frame's mean over the `share` frames it is pooled with."""
    return torch.cat([part.mean(dim=0).expand_as(part) for part in tokens_NC.split(share)])


def _in_clusters(tokens_NC: torch.Tensor, share: int) -> torch.Tensor:
    """Every frame's cluster, as many clusters as `_pooled` has pools."""
    clusters = merge_temporal_clusters(tokens_NC, -(-len(tokens_NC) // share))
    return clusters.tokens[clusters.cluster_of]


def _error(tokens_NC: torch.Tensor, told_NC: torch.Tensor) -> float:
    return ((tokens_NC - told_NC).norm(dim=1) / tokens_NC.norm(dim=1)).mean().item()


def _batches(frames: Iterator, size: int = 32) -> Iterator[list[np.ndarray]]:
    batch: list[np.ndarray] = []
    for frame in frames:
        batch.append(np.array(frame))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def decoded(path: Path) -> Iterator[Image.Image]:
    """One frame per second: the first at or after each full second."""
    second = 0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= second:
                second = int(frame.time) + 1
                yield frame.to_image(width=192, height=192)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=4, help="of each world")
    parser.add_argument("--seed", type=int, default=1000, help="of the held-out videos")
    options = parser.parse_args()
    tower = Tower(f"local-dir:{CLIP_DIR}", threads=2)
    seeds = range(options.seed, options.seed + options.videos)
    selection("demo world", [write_script(SECONDS, seed) for seed in seeds], tower)
    selection("fixed camera", [fixed_camera(seed) for seed in seeds], tower)
    script = fixed_camera(options.seed)
    merging("fixed camera", render(script, fps=1), tower, list(times_of(script)))
    script = write_script(SECONDS, options.seed)
    merging("demo world", render(script, fps=1), tower, list(times_of(script))[:4])
    for path in sorted((Path(__file__).resolve().parents[2] / "shared" / "videos" / "long").glob("*.m[pk][4v]")):
        merging(
            path.stem, decoded(path), tower, ["Who can be seen?", "What happens in the background?", "What is written?"]
        )


if __name__ == "__main__":
    main()
