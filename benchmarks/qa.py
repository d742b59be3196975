"""Question-answer pairs: grammar, what can be guessed, what the solver finds, and the cost of writing.

    python -m benchmarks.qa
    python -m benchmarks.qa --draw 200 --seed 7    # prints pairs to read, a JSON line each, in place of the figures

Demo: 500 scripted videos of six minutes, not rendered. ActivityNet and YouCook2: the caption files beside the checkout.
"""

import argparse
import gc
import importlib.util
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks._measure import at_least, at_most, in_new_process, report
from benchmarks._memory import own_peak_mb
from benchmarks._over_chance import over_chance
from benchmarks._qa_draw import NOTHING, draw, read_wrong_rows
from benchmarks._qa_truth import is_right
from benchmarks._qa_worlds import ANNOTATIONS, REAL, World, demo, real
from pipeline.demo.script import Script
from stages.qa.audit.blind import rule_guesses
from stages.qa.audit.features import Choice
from stages.qa.config import WritingConfig
from stages.qa.make_events import make_events
from stages.qa.other_events import rows_to_look_at
from stages.qa.plan import CAPTIONS, Plan
from stages.qa.solver import check
from stages.qa.tasks import WRITERS
from stages.qa.timeline import Timeline
from stages.qa.writing import write_pairs

PATTERNS = ANNOTATIONS.parent / "reference" / "qa_patterns.py"
DEMO_VIDEOS, LEAST_PAIRS = 500, 300
MEMORY_VIDEOS, SEEDS, ROUNDS = 200, 6, 4
CONFIG = WritingConfig()
Pair = dict[str, Any]


def load_patterns() -> Callable[[str, str], list[str]] | None:
    """The reviewers' patterns of grammar faults, from the file beside the checkout; None where it is not there."""
    spec = importlib.util.spec_from_file_location("qa_patterns", PATTERNS) if PATTERNS.is_file() else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.faults


def with_times(world: World, pairs: list[Pair]) -> list[Pair]:
    """Adds when the options and the asked events happen, where each is one event."""
    events, _, _ = make_events(world.rows, world.duration_s, CONFIG)
    middle: dict[str, float | None] = {}
    for event in events:
        for name in {f'"{event.text.removesuffix(".")}"' if event.kind == "speech" else event.text, *event.event_ids}:
            middle[name] = (event.start_s + event.end_s) / 2 if name not in middle else None
    for pair in pairs:
        times = [middle.get(option) for option in pair["options"]]
        pair["option_times"] = times if times and None not in times else []
        seen = [middle[i] for i in pair["event_ids"] if middle.get(i) is not None]
        answer = middle.get(pair["answer"])
        if pair["form"] in ("neighbour", "next_scene") and answer is not None:
            pair["asked_times"] = [max(seen, key=lambda t: abs(t - answer))]  # the evidence is a path from it
        else:
            pair["asked_times"] = [t for t in seen if t != answer] if pair["form"] == "between" else []
    return pairs


def choice(pair: Pair) -> Choice:
    """A pair as the audits read it."""
    options, times = tuple(pair["options"]), (tuple(pair["option_times"]), tuple(pair["asked_times"]))
    return Choice(pair["video_id"], pair["question"], options, pair["answer_index"], pair["form"], *times)


def grammar(name: str, pairs: list[Pair]) -> None:
    figure = f"{name}: grammar faults by the reviewers' patterns"
    faults = load_patterns()
    if faults is None:
        report(figure, None, "%", "<= 1", None, why=f"no file {PATTERNS.name} beside the checkout")
        return
    found = [f for pair in pairs if (f := faults(pair["question"], pair["answer"]))]
    kinds = Counter(kind for names in found for kind in names)
    at_most(figure, 100 * len(found) / len(pairs), "%", 1.0, pairs=len(pairs), kinds=dict(kinds.most_common(3)))


def truth(pairs: list[Pair], scripts: dict[str, Script]) -> None:
    """Answers against the scripts that the videos would be drawn from."""
    wrong = [pair for pair in pairs if not is_right(pair, scripts[pair["video_id"]])]
    forms = dict(Counter(pair["form"] for pair in wrong).most_common(3))
    right = 100 * (1 - len(wrong) / len(pairs))
    at_least("demo, ground truth: answers right", right, "%", 99.5, pairs=len(pairs), wrong=forms)


def guesses(name: str, pairs: list[Pair]) -> None:
    forms: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair["options"]:
            forms[pair["form"]].append(pair)
    worst = {}
    for form, asked in forms.items():
        choices = [choice(pair) for pair in asked]
        for rule, guessed in rule_guesses(choices).items():
            points, low, count = over_chance(choices, guessed)
            if count >= LEAST_PAIRS:
                worst[form, rule] = (low, points, count)
    figure = f"{name}: the best rule over chance, any form of {LEAST_PAIRS} pairs, lower end of 95%"
    if not worst:
        report(figure, None, "points", "<= 3", None, why=f"no form has {LEAST_PAIRS} pairs", pairs=len(pairs))
        return
    (form, rule), (low, points, count) = max(worst.items(), key=lambda item: item[1])
    at_most(figure, low, "points", 3.0, form=form, rule=rule, mean=round(points, 2), pairs=count, compared=len(worst))


def planted(worlds: Iterable[World]) -> None:
    """Spoils honest plans in four ways; the solver must find each."""
    found: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    honest = dropped = 0
    for world in worlds:
        events, _, _ = make_events(world.rows, world.duration_s, CONFIG)
        timeline = Timeline(world.video_id, world.duration_s, tuple(events), CONFIG)
        for writer in (w for writers in WRITERS.values() for w in writers):
            for plan, _ in zip(writer(timeline), range(4), strict=False):
                honest += 1
                if not check(plan, timeline.events).holds:
                    dropped += 1
                    continue
                for name, spoiled in _spoiled(plan, timeline).items():
                    tried[name] += 1
                    found[name] += not check(spoiled, timeline.events).holds
    for name, count in tried.items():
        at_least(f"solver: plans with {name} that it finds", 100 * found[name] / count, "%", 100, plans=count)
    at_most("solver: honest plans that it drops", 100 * dropped / honest, "%", 10, plans=honest)


def _spoiled(plan: Plan, timeline: Timeline) -> dict[str, Plan]:
    if plan.form in CAPTIONS:
        assert isinstance(plan.answer, tuple)
        return {"a wrong order": replace(plan, answer=plan.answer[::-1])}
    spoiled = {"missing evidence": replace(plan, evidence=plan.evidence[1:])}
    if others := [e for e in timeline.events if e not in plan.evidence and e not in plan.asked]:
        spoiled["needless evidence"] = replace(plan, evidence=(*plan.evidence, others[0]))
    if plan.wrong:
        spoiled["a wrong answer"] = replace(plan, answer=plan.wrong[0], wrong=(plan.answer, *plan.wrong[1:]))
        spoiled["a right distractor"] = replace(plan, wrong=(plan.answer, *plan.wrong[1:]))
    return spoiled


def write(worlds: Sequence[World], seed: int = 0) -> tuple[list[Pair], Counter[str]]:
    """All pairs of some videos, and what was left out."""
    config, counts = CONFIG.model_copy(update={"seed": seed}), Counter[str]()
    pairs = [pair for at, world in enumerate(worlds) for pair in with_times(world, _write(worlds, at, config, counts))]
    return pairs, counts


def _write(worlds: Sequence[World], at: int, config: WritingConfig, counts: Counter[str] | None = None) -> list[Pair]:
    """The pairs of a video, which may be asked for the events of the two that follow it."""
    world, others = worlds[at], [rows_to_look_at(other.rows) for other in worlds[at + 1 : at + 3]]
    if world.script:  # its times are exact, as in the recipe of the demo
        config = config.model_copy(update={"time_error_s": 0.0})
    return write_pairs(world.rows, world.duration_s, config, world.video_id, counts=counts, others=others)


def cpu_seconds(worlds: Sequence[World]) -> float:
    """CPU seconds that writing the pairs of all videos takes, per video the least of some rounds over all.

    Others on the machine slow the same code by half and more, for minutes. The texts of the demo are few, so that later
    videos of the first round find as much that is remembered of them as later rounds do.
    """
    gc.collect()
    gc.freeze()  # as the sandbox does, in whose processes pairs are written
    least = [math.inf] * len(worlds)
    for _ in range(ROUNDS):
        for at in range(len(worlds)):
            start = time.process_time()
            _write(worlds, at, CONFIG)
            least[at] = min(least[at], time.process_time() - start)
    return sum(least)


def peak_megabytes(videos: int) -> float:
    """Peak memory of this process after it wrote the pairs of some videos, one after the other."""
    for world in demo(videos):
        write_pairs(world.rows, world.duration_s, CONFIG, world.video_id)
    return own_peak_mb()


def main() -> None:
    parser = argparse.ArgumentParser(description="Question-answer pairs: figures, or pairs to read.")
    parser.add_argument("--draw", type=int, metavar="N", help="print N pairs drawn at random in place of the figures")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--wrong", type=Path, help="JSON list of annotation rows found wrong: [video, file, row]")
    options = parser.parse_args()
    if options.draw:
        for pair in draw(options.draw, options.seed, read_wrong_rows(options.wrong) if options.wrong else NOTHING):
            print(json.dumps(pair, ensure_ascii=False))
    else:
        figures()


def figures() -> None:
    """Prints all figures."""
    captions: list[Pair] = []
    for name, worlds in {"demo": list(demo(DEMO_VIDEOS)), **{name: list(real(name)) for name in REAL}}.items():
        taken = cpu_seconds(worlds) if name == "demo" else 0.0
        pairs, counts = write(worlds)
        if not pairs:
            report(f"{name}: pairs", None, "pairs", None, None, why="the annotation file is not beside the checkout")
            continue
        events = sum(row["kind"] == "event" for world in worlds for row in world.rows) / len(worlds)
        told = {"events_per_video": round(events, 2), "left_out": dict(counts)}
        report(f"{name}: pairs per video", len(pairs) / len(worlds), "pairs", None, None, videos=len(worlds), **told)
        flags = Counter(flag for pair in pairs for flag in pair["flags"])
        share = 100 * flags["other_video"] / len(pairs)
        most = 100 * (CONFIG.absent_share + 0.005)
        at_most(f"{name}: pairs that ask for an event of another video", share, "%", most, pairs=len(pairs), **flags)
        if name == "demo":
            truth(pairs, {world.video_id: world.script for world in worlds if world.script})
            at_most("one million pairs written", taken / len(pairs) * 1e6, "CPU s", 720, pairs=len(pairs))
            peak = in_new_process(peak_megabytes, MEMORY_VIDEOS)
            at_most("memory of a process that writes them, one video at a time", peak, "MB", 4000, videos=MEMORY_VIDEOS)
            grammar(name, pairs)
        else:
            captions += pairs
            # Few videos: other questions about them make the forms large enough. Intervals are over videos.
            pairs = [*pairs, *(pair for seed in range(1, SEEDS) for pair in write(worlds, seed)[0])]
        guesses(name, pairs)
    if captions:
        grammar("all real captions", captions)
    planted(demo(40))


if __name__ == "__main__":
    main()
