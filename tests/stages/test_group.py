"""Whatever cannot be packed is found a video at a time, and what will be packed has a known size."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from schemas.config import ConfigError
from schemas.rejects import Reject
from schemas.tables.qa import QA
from schemas.tables.shards import SELECTION
from stages.group import FACTS, GroupConfig, split_of, stage
from stages.pack import PackConfig
from tests.workers.shards.shard_units import group, write_video
from workers.storage.store import Store


def row(number: int, **given) -> dict:
    named = {"video_id": f"{number:016x}", "name": str(number), "sha256": f"{number:064x}", "split": None}
    return {**dict.fromkeys(FACTS), **named, **given}


def test_splits_follow_the_content_and_the_fraction():
    config = GroupConfig(val_fraction=0.2)
    splits = Counter(split_of(row(n), config) for n in range(4000))
    assert 0.17 < splits["val"] / 4000 < 0.23
    copies = [row(n, sha256="ab" * 32) for n in range(50)]
    assert len({split_of(video, config) for video in copies}) == 1
    assert {split_of(row(n), GroupConfig(val_fraction=0.0)) for n in range(99)} == {"train"}
    assert [split_of(row(n), GroupConfig(split_seed=1)) for n in range(500)] != [
        split_of(row(n), GroupConfig()) for n in range(500)
    ]


@pytest.mark.parametrize("split", ["../../etc", "a/b", "ü", ".", "x" * 40, "a\n"])
def test_a_split_that_names_no_folder_is_refused(split):
    with pytest.raises(ConfigError, match="use at most 32"):
        split_of(row(1, split=split), GroupConfig())


def spoil_order(store, video):
    table = store.read_table(video["select_unit"])
    store.write_tables(video["select_unit"], [table.take(pa.array(range(table.num_rows - 1, -1, -1)))], SELECTION)


def spoil_owner(store, video):
    table = store.read_table(video["write_qa_unit"])
    other = pa.array(["f" * 16] * table.num_rows)
    store.write_tables(video["write_qa_unit"], [table.set_column(0, QA.field("video_id"), other)], QA)


def spoil_keyframes(store, video):
    tensors = store.read_tensors(video["distill_unit"])
    store.write_tensors(video["distill_unit"], {**tensors, "keyframes": tensors["keyframes"] + np.int32(1)})


def spoil_frames(store, video):
    tensors = store.read_tensors(video["distill_unit"])
    store.write_tensors(video["distill_unit"], {**tensors, "time_s": tensors["time_s"][1:]})


def spoil_time(store, video):
    tensors = store.read_tensors(video["distill_unit"])
    store.write_tensors(video["distill_unit"], {**tensors, "time_s": tensors["time_s"][::-1].copy()})


def spoil_queries(store, video):
    tensors = store.read_tensors(video["distill_unit"])
    store.write_tensors(video["distill_unit"], {**tensors, "merged_tokens": tensors["merged_tokens"][1:]})


def spoil_header(store, video):
    data = bytearray(store.read_bytes(video["distill_unit"]))
    data[9] ^= 1
    store.write_bytes(video["distill_unit"], bytes(data))


def spoil_pairs(store, video):
    store.write_tables(video["write_qa_unit"], [QA.empty_table()], QA)
    store.write_tables(video["select_unit"], [SELECTION.empty_table()], SELECTION)


@pytest.mark.parametrize("group_bytes", [1 << 28, 1024])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_pairs, "no QA pairs"),
        (spoil_header, "units/distill_unit/.*delete the file"),
        (spoil_order, "not row by row"),
        (spoil_owner, "of other videos"),
        (spoil_keyframes, "selected were"),
        (spoil_frames, "differ in their number of frames"),
        (spoil_queries, "merged_tokens has 4 rows for 5 QA pairs"),
    ],
)
def test_units_that_do_not_belong_together_are_refused(tmp_path, spoil, message, group_bytes):
    store = Store(tmp_path)
    video = write_video(store, 1, num_frames=60)
    spoil(store, video)
    with pytest.raises(ValueError, match=message):
        group(store, video, PackConfig(group_bytes=group_bytes))


def spoil_conversation(text):
    def spoil(store, video):
        rows = store.read_table(video["write_qa_unit"]).to_pylist()
        rows[3]["conversations"] = text
        store.write_tables(video["write_qa_unit"], [pa.Table.from_pylist(rows, QA)], QA)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_conversation('[{"from": "human", "value": 1e999}]'), "QA pair .*0003: .*not JSON compliant"),
        (spoil_conversation('[{"from": "human", "value": "\\ud83d"}]'), "QA pair .*0003: .*surrogates"),
        (spoil_conversation("[" * 100_000), "QA pair .*0003: "),
        (spoil_conversation("{"), "QA pair .*0003: "),
        (spoil_time, "time_s of the frames is not ascending"),
    ],
    ids=["infinite", "half a character", "deep", "no JSON", "equal times"],
)
def test_untrusted_values_that_no_shard_can_hold_are_a_reject(tmp_path, spoil, message):
    store = Store(tmp_path)
    video = write_video(store, 1)
    spoil(store, video)
    with pytest.raises(Reject, match=f"unpackable: {message}"):
        group(store, video, PackConfig())


def test_facts_that_are_no_numbers_are_a_reject(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(Reject, match="unpackable: facts of the video"):
        group(store, {**write_video(store, 1), "average_fps": float("nan")}, PackConfig())


def test_a_unit_depends_on_what_groups_depend_on(tmp_path):
    video = write_video(Store(tmp_path), 1)
    path = stage(PackConfig()).unit_path(video)
    assert stage(PackConfig(shard_bytes=1 << 20)).unit_path(video) == path
    assert stage(PackConfig(group_bytes=1 << 20)).unit_path(video) != path
    assert stage(PackConfig(split_seed=1)).unit_path(video) != path
    assert stage(PackConfig()).unit_path({**video, "licence": "MIT"}) != path


def test_facts_of_each_group(tmp_path):
    store = Store(tmp_path)
    video = write_video(store, 1, num_frames=40, num_queries=11)
    grouped = group(store, video, PackConfig(group_bytes=2048))
    groups = store.read_table(grouped["group_unit"])["groups"][0].as_py()
    facts = [json.loads(each["facts"]) for each in groups]
    assert [f["part"] for f in facts] == list(range(len(groups)))
    assert [f["num_qa"] for f in facts] == [each["num_rows"] for each in groups]
    assert sum(each["num_rows"] for each in groups) == 11
    assert {(f["num_parts"], f["num_frames"], f["format_version"], f["licence"]) for f in facts} == {
        (len(groups), 40, 2, "CC-BY")
    }
