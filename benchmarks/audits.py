"""Audits of QA pairs: what text-only models guess after the gates, planted shortcuts, cost, sequences of benchmarks.

    python -m benchmarks.audits

Videos are parted in halves: pairs are left out by the gates in one half only; models are fitted on what is kept there
and asked about all pairs of the other half, which no gate has touched. That is done for several ways to part them. The
real data sets are small: pairs of several seeds make up for that, and intervals are drawn over videos.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.naive_bayes import BernoulliNB

from benchmarks._measure import at_least, at_most, in_new_process, report
from benchmarks._memory import own_peak_mb
from benchmarks._over_chance import over_chance
from benchmarks._qa_worlds import REAL, World, demo, real
from benchmarks.qa import CONFIG, DEMO_VIDEOS, LEAST_PAIRS
from schemas.tables.qa import QA
from stages import audit_qa
from stages.audit_qa import AuditQaConfig, choice_of
from stages.qa.audit.blind import BlindConfig, fold_of, judge
from stages.qa.audit.checks import problems
from stages.qa.audit.features import Choice, rows_of
from stages.qa.audit.text_model import Pairs
from stages.qa.audit.typical_places import typical_places
from stages.qa.writing import write_pairs
from workers.shots.sequence_search import search
from workers.shots.sequence_windows import windows_of
from workers.storage.store import Store

BLIND = BlindConfig(min_pairs=LEAST_PAIRS // 2)
SEEDS, SPLITS = 4, 4
COST_VIDEOS = 1200
AGREE, STILL = 0.55, 0.01


def pairs_of(worlds: Iterable[World], seeds: int = 1) -> Iterator[tuple[World, list[dict[str, Any]]]]:
    """The pairs of each video, once per seed."""
    for world in worlds:
        for seed in range(seeds):
            config = CONFIG.model_copy(update={"seed": seed})
            yield world, write_pairs(world.rows, world.duration_s, config, world.video_id)


def choices_of(written: Iterable[tuple[World, list[dict[str, Any]]]]) -> dict[str, list[Choice]]:
    """The multiple-choice pairs by form."""
    forms: dict[str, list[Choice]] = defaultdict(list)
    for world, pairs in written:
        for pair in pairs:
            if len(pair["options"]) > 1:
                forms[pair["form"]].append(choice_of(pair, world.duration_s))
    return forms


def held_out(name: str, forms: dict[str, list[Choice]]) -> None:
    """Of the form that is guessed best: the mean over several ways to part the videos, so that it is no luck."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for form, choices in forms.items():
        found = [over_chance_of_others(choices, seed) for seed in range(SPLITS)] if len(choices) >= LEAST_PAIRS else []
        for model in found[0] if found else ():
            points, lows, counts = zip(*(each[model] for each in found), strict=True)
            each = {"low": np.mean(lows), "form": form, "mean": round(float(np.mean(points)), 2)}
            told[model].append({**each, "lows": [round(low, 1) for low in lows], "pairs": counts[0]})
    for model in ("logit", "naive Bayes"):
        figure = (
            f"{name}: {model} over chance after gates, any form of {LEAST_PAIRS} pairs, other videos, lower end of 95%"
        )
        if not told[model]:
            report(figure, None, "points", "<= 3", None, why=f"no form has {LEAST_PAIRS} pairs")
            continue
        worst = max(told[model], key=lambda each: each["low"])
        at_most(figure, float(worst.pop("low")), "points", 3.0, **worst, forms=len(told[model]), splits=SPLITS)


def over_chance_of_others(choices: Sequence[Choice], seed: int) -> dict[str, tuple[float, float, int]]:
    """By model what `over_chance` gives on the videos of one half, with the gates applied to the other half."""
    config = BlindConfig(folds=2, seed=seed)
    halves = np.array([fold_of(choice.video_id, config) for choice in choices])
    judged = judge([c for c, half in zip(choices, halves, strict=True) if not half], BLIND)
    gone = iter(judged.dropped)
    kept = np.array([not half and not next(gone) for half in halves])
    matrix, begins = rows_of(choices, typical_places(choices, halves, config.max_fit_pairs, seed))
    answers = np.array([choice.answer_index for choice in choices])
    pairs = Pairs(matrix, begins, answers, seed)
    train, test = np.flatnonzero(kept), np.flatnonzero(halves == 1)
    options = np.concatenate([np.arange(begins[i], begins[i + 1]) for i in train])
    bayes = BernoulliNB().fit(matrix[options], np.isin(options, begins[train] + answers[train]))
    models = {"logit": pairs.fit(train), "naive Bayes": bayes.feature_log_prob_[1] - bayes.feature_log_prob_[0]}
    found = {}
    for model, weights in models.items():
        _, guessed = pairs.predict(test, weights)
        asked = [choices[i] for i in test]
        guesses = [c.answer_index if right else -1 for c, right in zip(asked, guessed, strict=True)]
        found[model] = over_chance(asked, guesses)
    return found


def planted(forms: dict[str, list[Choice]]) -> None:
    """Gives the right option of every pair of a form away; each (form, shortcut) is found where pairs are left out."""
    found = tried = 0
    for choices in forms.values():
        if len(choices) < LEAST_PAIRS:
            continue
        for plant in (_longer, _word, _second_place, _frequent):
            judged = judge([plant(choice) for choice in choices], BLIND)
            tried += 1
            found += sum(reason != "" for reason in judged.dropped) > len(choices) / 2
    at_least("planted shortcuts found by the blind score", 100 * found / max(1, tried), "%", 95, planted=tried)


def _with(choice: Choice, right: str) -> Choice:
    options = [right if i == choice.answer_index else option for i, option in enumerate(choice.options)]
    return replace(choice, options=tuple(options))


def _longer(choice: Choice) -> Choice:
    return _with(choice, choice.options[choice.answer_index] + " and so on, as everybody in the whole place can see")


def _word(choice: Choice) -> Choice:
    return _with(choice, choice.options[choice.answer_index] + " indeed")


def _second_place(choice: Choice) -> Choice:
    options = [o for i, o in enumerate(choice.options) if i != choice.answer_index]
    options.insert(1, choice.options[choice.answer_index])
    return replace(choice, options=tuple(options), answer_index=1)


def _frequent(choice: Choice) -> Choice:
    return _with(choice, "nobody is there")


def cost(written: Iterable[tuple[World, list[dict[str, Any]]]]) -> None:
    """CPU time and memory of the stage on these pairs, taken to a million; memory by its growth since a third of them.

    No video comes twice: a model of one copy would know the other by heart, and nearly all pairs would be left out.
    """
    with TemporaryDirectory() as folder:
        store, listed, counts = Store(folder), [], [0]
        for world, pairs in written:
            name = world.video_id
            store.write_tables(f"qa/{name}.parquet", [pa.Table.from_pylist(pairs, QA)], QA)
            times = pa.table({"time_s": np.arange(0.5, world.duration_s)})
            store.write_tables(f"frames/{name}.parquet", [times], times.schema)
            unit = {"write_qa_unit": f"qa/{name}.parquet", "embed_units": [f"frames/{name}.parquet"]}
            listed.append({"video_id": name, "duration_s": world.duration_s, **unit})
            counts.append(counts[-1] + len(pairs))
        third, count = counts[len(listed) // 3], counts[-1]
        _, few_mb = in_new_process(_audit, folder, json.dumps(listed[: len(listed) // 3]))
        seconds, all_mb = min(in_new_process(_audit, folder, json.dumps(listed)) for _ in range(3))
    megabytes = all_mb + (all_mb - few_mb) / (count - third) * (1e6 - count)
    told = {"measured": count, "extrapolated": True}
    at_most("one million pairs audited", seconds / count * 1e6, "CPU s", 720, **told)
    at_most("one million pairs audited: memory", megabytes / 1000, "GB", 4, **told)


def _audit(folder: str, videos: str) -> tuple[float, float]:
    """CPU seconds of the stage, and the peak of memory in MB."""
    start = time.process_time()
    list(audit_qa.run({"videos": videos}, AuditQaConfig(), Store(folder)))
    return time.process_time() - start, own_peak_mb()


def sequences(known: int = 30, others: int = 2000) -> None:
    """Drawn videos of shots that drift: cuts of 30 seconds, half a second later, with noise; and other videos."""
    windows = windows_of([_film(seed)[::2] for seed in range(known)], still=STILL)
    noise = np.random.default_rng(1)
    hits = false = 0
    for seed in range(known):
        copy = _film(seed)[1::2][100:130] + noise.normal(size=(30, 64)).astype(np.float32) * 0.2 / 8
        hits += [f.owner for f in search(windows, copy, agree=AGREE)] == [seed]
    for seed in range(others):
        false += bool(search(windows, _film(10_000 + seed)[::2], agree=AGREE))
    at_least("drawn sequences: cuts of 30 s found, at another sampling phase", 100 * hits / known, "%", 95, cuts=known)
    at_most("drawn sequences: false hits", 100 * false / others, "%", 0.1, others=others)


def in_another_language(name: str, written: list[tuple[World, list[dict[str, Any]]]]) -> None:
    """Pairs of English captions that are taken for those of another language."""
    found = [
        "other_language" in problems(pair, world.duration_s, np.arange(0.5, world.duration_s))
        for world, pairs in written
        for pair in pairs
    ]
    share = 100 * sum(found) / len(found)
    at_most(f"{name}: pairs taken for another language", share, "%", 0.1, pairs=len(found))


def _film(seed: int, seconds: int = 240) -> np.ndarray:
    """float32 [2 * seconds, 64]: two descriptors per second."""
    rng = np.random.default_rng(seed)
    looks = np.zeros((2 * seconds, 64))
    start = 0
    while start < len(looks):
        end = min(len(looks), start + int(rng.integers(4, 18)))
        looks[start:end] = rng.normal(size=64) + rng.normal(size=64) * np.linspace(0, 0.6, end - start)[:, None]
        start = end
    looks += np.random.default_rng(1).normal(size=64)
    return (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32)


def main() -> None:
    sequences()
    for name, worlds in {"demo": demo(DEMO_VIDEOS), **{name: real(name) for name in REAL}}.items():
        written = list(pairs_of(worlds, 1 if name == "demo" else SEEDS))
        forms = choices_of(written)
        if forms:
            in_another_language(name, written)
        else:
            report(f"{name}: pairs", None, "pairs", None, None, why="the annotation file is not beside the checkout")
            continue
        held_out(name, forms)
        if name == "demo":
            planted(forms)
            cost(pairs_of(demo(COST_VIDEOS)))


if __name__ == "__main__":
    main()
