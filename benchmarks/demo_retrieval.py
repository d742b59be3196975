"""What the tiny CLIP is good for, on held-out demo videos that were encoded and decoded for real.

Prints JSON lines: retrieval among distinct events, whether DKS at K = 8 catches the event a grounding question asks
for, what uniform sampling of 8 frames catches on the same questions, and how far apart frames of different events lie.
Run: `python -m benchmarks.demo_retrieval [--videos 16] [--seed 1000]`.
"""

import argparse

import numpy as np
import torch

from benchmarks._held_out import Clip, Held, hold_out
from benchmarks._measure import against
from model.ops.dks.keyframes import select_keyframes
from pipeline.demo.corpus import manifest_row
from pipeline.demo.script import Script
from pipeline.demo.texts import questions, scene_questions, sentence
from pipeline.demo.world import DEEDS
from stages.qa.config import WritingConfig
from stages.qa.writing import write_pairs
from stages.question_frames import Question, select_for_questions
from stages.select import SelectConfig

K, TAU = 8, 0.85
SEEDS = 6
# Grounding questions that training had no template for.
UNSEEN = (
    "Around which timestamp could a viewer notice that {s}?",
    "When in the footage do we get to see this: {s}?",
    'The video contains the event "{s}". When exactly?',
    "Tell me the seconds between which {s}.",
)


def spans_by_text(script: Script) -> dict[str, list[tuple[float, float]]]:
    spans: dict[str, list[tuple[float, float]]] = {}
    for event in script.events:
        spans.setdefault(sentence(event.act), []).append((event.start_s, event.end_s))
    return spans


def grounding(video: Held, clip: Clip, asked: list[tuple[str, list]]) -> tuple[float, float]:
    """Share of the questions with a keyframe inside a true span: DKS, and uniform sampling of K."""
    keyframes = select_keyframes(video.frames_ND, clip.texts([question for question, _ in asked]), k=K, tau=TAU)
    uniform = ((np.arange(K) + 0.5) * len(video.times_N) / K).astype(int)
    caught = [_inside(video.times_N[keyframes.of(row)], spans) for row, (_, spans) in enumerate(asked)]
    return float(np.mean(caught)), float(np.mean([_inside(video.times_N[uniform], spans) for _, spans in asked]))


def _inside(times: np.ndarray, spans: list) -> bool:
    return any(((start <= times) & (times < end)).any() for start, end in spans)


def pairs_of(script: Script, *, max_pairs: int, seed: int = 0) -> list[dict]:
    """The pairs that the step write_qa writes of a script, by its seed."""
    row = manifest_row("held", script, split="val")
    events = [{**event, "video_id": "held", "event_id": str(i)} for i, event in enumerate(row["events"])]
    return write_pairs(events, script.seconds, WritingConfig(max_pairs=max_pairs, seed=seed), "held")


def _spans(pair: dict) -> list[tuple[float, float]]:
    return [(span["start_s"], span["end_s"]) for span in pair["evidence"]]


def evidence_recall(videos: list[Held], clip: Clip) -> dict[str, tuple[float, int]]:
    """Per form the share of questions with a keyframe in each span of evidence, where K keyframes could do it, and the
    number of questions. Keyframes by the step select, K = 8.
    """
    hits: dict[str, list[bool]] = {}
    for video in videos:
        # Other seeds ask other questions about the same videos: of some forms, one has fewer than twenty.
        written = (p for seed in range(SEEDS) for p in pairs_of(video.script, max_pairs=400, seed=seed))
        pairs = [*{p["question"]: p for p in written if len(p["evidence"]) <= K}.values()]
        asked = [
            Question(clip.texts(p["queries"]), p["window"] and tuple(p["window"].values()), p["relation"])
            for p in pairs
        ]
        chosen = select_for_questions(video.frames_ND, video.times_N, asked, SelectConfig(k=K, tau=TAU))
        for pair, (positions, _) in zip(pairs, chosen, strict=True):
            seen = video.times_N[positions]
            hit = all(_inside(seen, [span]) for span in _spans(pair))
            hits.setdefault(pair["form"], []).append(hit)
    return {form: (float(np.mean(found)), len(found)) for form, found in sorted(hits.items())}


def questions_of(script: Script, kind: str) -> list[tuple[str, list]]:
    """Questions with the spans that answer them. `pipeline`: all grounding questions that the step write_qa writes."""
    if kind == "pipeline":
        pairs = [p for p in pairs_of(script, max_pairs=1000) if p["form"] in ("when", "occurrence")]
        return [("; ".join(p["queries"]), _spans(p)) for p in pairs]
    if kind == "scene":
        spans = [(scene.name, [(scene.start_s, scene.end_s)]) for scene in script.scenes]
        return [(question, span) for name, span in spans for question in scene_questions(name)]
    by_text = spans_by_text(script)
    if kind == "unseen":
        return [(question.format(s=text), spans) for text, spans in by_text.items() for question in UNSEEN]
    acts = {sentence(event.act): event.act for event in script.events}
    return [(question, by_text[text]) for text, act in acts.items() for question in questions(act)]


def retrieval(videos: list[Held], clip: Clip) -> dict[str, float]:
    """Text to frame and back, among the middle frames of all distinct events."""
    frames: dict[str, torch.Tensor] = {}
    for video in videos:
        for event in video.script.events:
            middle = np.abs(video.times_N - (event.start_s + event.end_s) / 2).argmin()
            frames.setdefault(sentence(event.act), video.frames_ND[middle])
    frames_MD = torch.stack(list(frames.values()))
    logits = clip.texts(list(frames)) @ frames_MD.T
    truth = torch.arange(len(frames))
    between = (frames_MD @ frames_MD.T)[~torch.eye(len(frames), dtype=torch.bool)]
    return {
        "distinct events": len(frames),
        "text to frame R@1": (logits.argmax(dim=1) == truth).float().mean().item(),
        "text to frame R@5": (logits.topk(5, dim=1).indices == truth[:, None]).any(dim=1).float().mean().item(),
        "frame to text R@1": (logits.argmax(dim=0) == truth).float().mean().item(),
        "pairs of events below tau": (between < TAU).float().mean().item(),
    }


def pointing(videos: list[Held], clip: Clip) -> float:
    """Share of frames whose best patch for the event's text lies on the thing that does it (dense CLIP)."""
    hits = []
    for video in videos:
        for event in video.script.events:
            if event.act.action not in DEEDS:
                continue
            inside = (video.times_N >= event.start_s) & (video.times_N < event.end_s)
            patches_NPD = video.patches_NPD[torch.from_numpy(inside)]
            best = (patches_NPD @ clip.texts([sentence(event.act)])[0]).argmax(dim=1)
            side = round(patches_NPD.shape[1] ** 0.5)
            column = (best % side + 0.5) / side
            hits.append((column - event.x0).abs() < 0.15)
    return torch.cat(hits).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1000, help="of the held-out videos")
    options = parser.parse_args()
    torch.set_num_threads(2)
    clip = Clip()
    videos = hold_out(options.videos, options.seed, clip)
    against("fewest frames in a video", min(len(video.times_N) for video in videos), "frames", bar=300)
    for figure, value in retrieval(videos, clip).items():
        against(figure, value, "events" if figure == "distinct events" else "share")
    for kind, bar in (("pipeline", 0.95), ("event", None), ("unseen", None), ("scene", None)):
        asked = [questions_of(video.script, kind) for video in videos]
        shares = np.array([grounding(video, clip, pairs) for video, pairs in zip(videos, asked, strict=True)])
        dks, uniform = np.average(shares, axis=0, weights=[len(pairs) for pairs in asked])
        against(f"{kind} questions", sum(len(pairs) for pairs in asked), "questions")
        against(f"{kind} questions caught by DKS, K = {K}", dks, "share", bar)
        against(f"{kind} questions caught by uniform {K}", uniform, "share")
    for form, (recall, count) in evidence_recall(videos, clip).items():
        against(f"{form}: questions ({count}) with a keyframe in all evidence, K = {K}", recall, "share", 0.9)
    against("best patch lies on the thing", pointing(videos, clip), "share")


if __name__ == "__main__":
    main()
