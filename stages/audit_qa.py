"""audit_qa: all QA pairs of a corpus -> what is wrong with each, its blind score, and which are left out. N:1.

One unit over all videos, since what a text-only model can guess shows in many videos together. What it leaves out,
`filter_qa` takes from the pairs of a video; a video of which nothing is left out is not touched.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import Config, Resources, StageConfig
from schemas.rows import AuditRow, QaRow, Row
from schemas.stage import Stage
from schemas.tables.qa import AUDIT, QA
from stages.qa.audit.agreement import disagreements
from stages.qa.audit.blind import BlindConfig, Judged, judge
from stages.qa.audit.checks import PROBLEMS, problems
from stages.qa.audit.features import Choice
from workers.storage.store import Store

# `videos` is JSON, a list of {video_id, duration_s, write_qa_unit, embed_units}: one string travels better.
READS = pa.schema([("videos", pa.string())])
_COLUMNS = [name for name in QA.names if name not in ("select_queries", "merge_query", "conversations")]
_READ_AHEAD = 32


class GateConfig(Config):
    """Sets what `longvid audit` asks of the pairs that are kept."""

    max_problem_share: float = Field(0.0, ge=0, le=1)
    """Most of the pairs that may have one problem of a kind that pairs are left out for."""
    max_counting_share: float = Field(0.25, ge=0, le=1)
    """Most of the pairs that may ask for a number."""


class AuditQaConfig(StageConfig):
    """Sets which pairs are left out of the shards."""

    not_content = ("gates",)  # they only affect `longvid audit`

    blind: BlindConfig = BlindConfig()
    """What a text-only model may guess."""
    noted_only: tuple[Literal[tuple(PROBLEMS)], ...] = ("toxic",)  # type: ignore[valid-type]
    """Problems for which pairs are noted in the column `problems`, and not left out. The list of toxic words is
    long, and a word may be meant otherwise."""
    gates: GateConfig = GateConfig()
    """Of `longvid audit`."""
    # One process over all pairs; a million take about 2 GB.
    resources: Resources = Resources(cpus=1.0, memory_mb=2000)


def run(unit: Row, config: AuditQaConfig, store: Store) -> Iterator[pa.Table]:
    """Yields one row of AUDIT per pair: videos in the order of the unit, pairs in the order of their unit."""
    rows: list[AuditRow] = []
    forms: dict[str, tuple[list[int], list[Choice]]] = defaultdict(lambda: ([], []))
    with ThreadPoolExecutor(4) as pool:
        videos = json.loads(unit["videos"])
        for start in range(0, len(videos), _READ_AHEAD):
            part = videos[start : start + _READ_AHEAD]
            for video, (pairs, times) in zip(part, pool.map(lambda v: _read(v, store), part), strict=True):
                audited = audit_video(pairs, video["duration_s"], times, config)
                for pair, row in zip(pairs, audited, strict=True):
                    if not row["dropped"] and len(pair["options"]) > 1:
                        places, choices = forms[pair["form"]]
                        places.append(len(rows))
                        choices.append(choice_of(pair, video["duration_s"]))
                    rows.append(row)
    for _, (places, choices) in sorted(forms.items()):
        _note(rows, places, judge(choices, config.blind))
    yield pa.Table.from_pylist(rows, AUDIT)


def audit_video(pairs: list[QaRow], duration_s: float, times_N: np.ndarray, config: AuditQaConfig) -> list[AuditRow]:
    """Returns rows of AUDIT for the pairs of one video, before the blind model judges them."""
    language = _language_of_events(pairs)
    found = [problems({**pair, "language": language or pair["language"]}, duration_s, times_N) for pair in pairs]
    for i, problem in disagreements(pairs).items():
        found[i].append(problem)
    return [
        {
            "video_id": pair["video_id"],
            "qa_id": pair["qa_id"],
            "problems": codes,
            "dropped": next((code for code in codes if code not in config.noted_only), None),
            "blind_score": None,
            "blind_guess": None,
        }
        for pair, codes in zip(pairs, found, strict=True)
    ]


def _language_of_events(pairs: list[QaRow]) -> str:
    """Returns the language of most pairs about events; of most pairs where all are the manifest's; "" if unclear.

    The `language` of a pair of the manifest is that of the pair itself.
    """
    about_events = [pair["language"] for pair in pairs if pair["realizer"]]
    counts = Counter(about_events or [pair["language"] for pair in pairs])
    language, count = counts.most_common(1)[0] if counts else ("", 0)
    return language if count > sum(counts.values()) / 2 else ""


def choice_of(pair: Mapping[str, Any], duration_s: float) -> Choice:
    """Converts a multiple-choice row of QA for the audits; times become shares of the video."""
    times = [tuple(t / duration_s for t in pair[name] or ()) for name in ("option_times", "asked_times")]
    return Choice(
        pair["video_id"], pair["question"], tuple(pair["options"]), pair["answer_index"], pair["form"], *times
    )


def _note(rows: list[AuditRow], places: list[int], judged: Judged) -> None:
    for n, place in enumerate(places):
        if not np.isnan(judged.score[n]):
            rows[place] |= {"blind_score": float(judged.score[n]), "blind_guess": bool(judged.guessed[n])}
        rows[place]["dropped"] = judged.dropped[n] or None


def _read(video: Row, store: Store) -> tuple[list[QaRow], np.ndarray]:
    pairs: list[QaRow] = store.read_table(video["write_qa_unit"], _COLUMNS).to_pylist()
    if not pairs:
        return [], np.zeros(0)
    frames = [store.read_table(path, ["time_s"])["time_s"].to_numpy() for path in video["embed_units"]]
    return pairs, np.sort(np.concatenate(frames)) if frames else np.zeros(0)


def stage(config: AuditQaConfig) -> Stage:
    """Declares the stage."""
    return Stage(
        name="audit_qa", reads=READS, writes=AUDIT, run=run, config=config, emits="unit", kind="corpus", version=10
    )
