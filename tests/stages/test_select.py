"""select: one row per question, in their order, over all segments of the video."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from schemas.rejects import Reject
from schemas.tables.media import EMBEDDING
from schemas.tables.shards import SELECTION
from stages.question_frames import Question, select_for_questions
from stages.select import SelectConfig, run, stage
from tests.tiny_towers import write_questions
from workers.storage.arrow_vectors import to_column
from workers.storage.store import Store

UNIT = {"video_id": "v", "embed_units": ["e0", "e1", "e2"], "write_qa_unit": "qa"}


def units(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def write_embeddings(store: Store, path: str, vectors: np.ndarray, first: int) -> None:
    count = len(vectors)
    columns = {
        "video_id": ["v"] * count,
        "segment_id": [path] * count,
        "sample_index": [first + i for i in range(count)],
        "time_s": [0.5 * (first + i) for i in range(count)],
        "embedding": to_column(vectors.astype(np.float16)),
    }
    store.write_tables(path, [pa.table(columns, EMBEDDING)], EMBEDDING)


def greedy(frames: np.ndarray, query: np.ndarray, k: int, tau: float) -> list[int]:
    """The paper's loop, word for word: by descending relevance, added while like none of the chosen."""
    chosen: list[int] = []
    for n in np.argsort(-(frames @ query), kind="stable"):
        if len(chosen) < k and all(frames[n] @ frames[s] < tau for s in chosen):
            chosen.append(int(n))
    return sorted(chosen)


@pytest.fixture
def corpus(tmp_path):
    random = np.random.default_rng(0)
    # A walk: neighbours are similar, as in a video.
    frames = units(np.cumsum(random.normal(size=(60, 16)), axis=0)).astype(np.float16)
    queries = units(random.normal(size=(5, 16))).astype(np.float16)
    store = Store(tmp_path)
    for path, start, end in (("e0", 0, 25), ("e1", 25, 25), ("e2", 25, 60)):
        write_embeddings(store, path, frames[start:end], start)
    write_questions(store, "qa", queries, queries)
    return store, frames.astype(np.float64), queries.astype(np.float64)


def selected(store, **config) -> pa.Table:
    (table,) = run(UNIT, SelectConfig(**config), store)
    return table


def test_all_questions_over_all_segments(corpus):
    store, frames, queries = corpus
    table = selected(store, k=6, tau=0.8)
    assert table.schema == SELECTION
    assert table["qa_id"].to_pylist() == [f"q{i}" for i in range(5)]
    frames, queries = units(frames), units(queries)
    for row, query in zip(table.to_pylist(), queries, strict=True):
        assert row["keyframes"] == greedy(frames, query, 6, 0.8)
        assert row["time_s"] == [0.5 * n for n in row["keyframes"]]
        assert np.allclose(row["relevance"], frames[row["keyframes"]] @ query, atol=1e-6)


def test_fewer_than_k_is_a_short_list_without_padding(corpus):
    table = selected(corpus[0], k=40, tau=0.3)
    lengths = [len(k) for k in table["keyframes"].to_pylist()]
    assert min(lengths) >= 1 and max(lengths) < 40
    assert all(n >= 0 for row in table["keyframes"].to_pylist() for n in row)
    assert lengths == [len(row) for row in table["relevance"].to_pylist()]


def test_mode_released_fills_the_gaps(corpus):
    table = selected(corpus[0], k=20, tau=0.3, mode="released")
    assert [len(k) for k in table["keyframes"].to_pylist()] == [20] * 5


def test_mode_recurrent_takes_its_dip_from_the_config(corpus):
    never, often = (selected(corpus[0], k=60, tau=0.8, mode="recurrent", dip=dip) for dip in (1e6, 1e-6))
    assert never.equals(selected(corpus[0], k=60, tau=0.8))  # nothing falls that deep: as DKS
    assert sum(map(len, often["keyframes"].to_pylist())) > sum(map(len, never["keyframes"].to_pylist()))


def test_a_video_without_questions_gives_no_rows(corpus):
    store = corpus[0]
    write_questions(store, "qa", np.empty((0, 16)), np.empty((0, 16)))
    assert selected(store).equals(SELECTION.empty_table())


def test_a_video_without_frames_is_rejected(corpus):
    store = corpus[0]
    with pytest.raises(Reject, match="no_frames: 1 segments"):
        list(run({**UNIT, "embed_units": ["e1"]}, SelectConfig(), store))


def test_two_towers_mixed_up_are_an_error_with_the_remedy(corpus):
    store = corpus[0]
    write_questions(store, "qa", np.ones((1, 8)), np.ones((1, 8)))
    with pytest.raises(ValueError, match="16 numbers, questions in 8: use one tower"):
        selected(store)


def test_one_changed_knob_is_another_unit():
    base = stage(SelectConfig()).unit_path(UNIT)
    assert stage(SelectConfig(tau=0.9)).unit_path(UNIT) != base
    assert stage(SelectConfig(resources={"workers": (4, 4)})).unit_path(UNIT) == base


def choose(frames, times, queries, windows, relations=None, **config):
    queries = [torch.tensor(np.atleast_2d(np.array(q, np.float32))) for q in queries]
    questions = map(Question, queries, windows, relations or [None] * len(queries))
    return select_for_questions(torch.tensor(frames), times, list(questions), SelectConfig(**config))


def test_frames_of_a_named_window_are_the_only_ones_taken():
    frames, times = np.eye(20, dtype=np.float32), 0.5 + np.arange(20.0)
    query = np.linspace(2, 1, 20)
    inside, all_of_it, between = choose(frames, times, [query] * 3, [(5.0, 9.0), None, (3.6, 4.4)], k=3)
    assert inside[0] == [5, 6, 7]
    assert all_of_it[0] == [0, 1, 2]
    assert len(between[0]) == 1 and between[0][0] in (3, 4)


def test_queries_of_one_question_share_its_places_by_turns():
    frames, times = np.eye(12, dtype=np.float32), np.arange(12.0)
    first, second = np.zeros(12), np.zeros(12)
    first[[1, 2, 3]], second[[8, 9, 1]] = (3, 2, 1), (3, 2, 1)
    [(positions, relevance)] = choose(frames, times, [[first, second]], [None], k=4)
    assert positions == [1, 2, 8, 9]
    assert len(relevance) == 4
    [(two, _)] = choose(frames, times, [[first, second]], [None], k=2)
    assert two == [1, 8]


def test_named_events_bound_where_the_options_of_their_question_are_looked_for():
    frames, times = np.eye(100, dtype=np.float32), np.arange(100.0)

    def of(*at):  # a text that is most like the first of some frames, and less like each next one
        query = np.zeros(100)
        query[list(at)] = np.arange(len(at), 0, -1)
        return query

    named, option = of(40, 5), of(90, 70, 45, 20, 35)
    queries = [[named, option], [named, option], [named, of(70), option]] + [[named, option]] * 3
    relations = [None, "after", "between", "before", "soon_after", "soon_before"]
    chosen = choose(frames, times, queries, [None] * 6, relations, k=3, reach_s=30)
    asked_and_best = [positions for positions, _ in chosen]
    assert asked_and_best[0] == [5, 40, 90]
    assert asked_and_best[1] == [5, 40, 90]
    assert asked_and_best[2] == [40, 45, 70]
    assert asked_and_best[3] == [5, 20, 40]
    assert asked_and_best[4] == [5, 40, 70], "90 is more like it, but further away"
    assert asked_and_best[5] == [5, 20, 40]
    again = choose(frames, times, [[of(95, 10), of(40, 80), option]], [None], ["between"], k=3)
    assert again[0][0] == [10, 20, 40], "events are named in the order of time: 10 is of the first, since 95 is not"
    far = choose(frames, times, [[named, of(90)]], [None], ["soon_after"], k=6, reach_s=30)
    assert 90 in far[0][0], "beyond the reach, after the nearest ones"
    last = choose(frames, times, [[of(99), option]], [None], ["after"], k=2)
    assert last[0][0] == [90, 99], "nothing comes after: anywhere"
