"""Shards are planned and written the same every time, hold what the stages gave, and are open to everyone."""

import hashlib
import json
from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import webdataset as wds
from safetensors import numpy as safetensors_numpy

from schemas.config import ConfigError
from schemas.tables import QA, SAMPLE, SELECTION
from stages.pack import FACTS, PACK_UNIT, PackConfig, plan_shards, run, split_of, stage, stands
from tests.workers.shard_units import TOKENS_A_KEYFRAME, pack, write_video
from workers.shards.writer import shard_key
from workers.storage import Store


def row(number: int, **given) -> dict:
    units = {name: f"units/{name}/{number}" for name in ("write_qa_unit", "select_unit", "distill_unit")}
    facts = dict.fromkeys(FACTS) | {"sha256": f"{number:064x}"}
    plain = {"name": str(number), "licence": None, "source": None, "split": None, "duration_s": 1.0}
    return {**facts, **plain, **units, "video_id": f"{number:016x}", "distill_bytes": 400, **given}


def planned(videos, **settings) -> list[tuple[str, list[int]]]:
    units = plan_shards(videos, PackConfig(shard_bytes=1024, **settings))
    return [(u["shard"], [int(v["video_id"], 16) for v in json.loads(u["videos"])]) for u in units]


def test_shards_are_cut_by_bytes_and_named_by_split():
    videos = [row(n, split="test" if n == 3 else "train") for n in range(1, 6)]
    assert planned(videos) == [
        ("shards/train/000000.tar", [1, 2]),
        ("shards/test/000000.tar", [3]),
        ("shards/train/000001.tar", [4, 5]),
    ]


def test_a_large_video_is_a_shard_alone():
    videos = [row(n, split="train", distill_bytes=5000 if n == 2 else 400) for n in range(1, 5)]
    assert [numbers for _, numbers in planned(videos)] == [[1], [2], [3, 4]]


def test_no_videos_no_shards():
    assert planned([]) == []


@pytest.mark.parametrize("numbers", [[2, 1], [1, 1]])
def test_videos_out_of_order_are_refused(numbers):
    with pytest.raises(ValueError, match="sort the videos"):
        planned([row(n) for n in numbers])


def test_splits_follow_the_content_and_the_fraction():
    config = PackConfig(val_fraction=0.2)
    splits = Counter(split_of(row(n), config) for n in range(4000))
    assert 0.17 < splits["val"] / 4000 < 0.23
    copies = [row(n, sha256="ab" * 32) for n in range(50)]
    assert len({split_of(video, config) for video in copies}) == 1
    assert {split_of(row(n), PackConfig(val_fraction=0.0)) for n in range(99)} == {"train"}
    assert [split_of(row(n), PackConfig(split_seed=1)) for n in range(500)] != [
        split_of(row(n), PackConfig()) for n in range(500)
    ]


@pytest.mark.parametrize("split", ["../../etc", "a/b", "ü", ".", "x" * 40, "a\n"])
def test_a_split_that_names_no_folder_is_refused(split):
    with pytest.raises(ConfigError, match="use at most 32"):
        planned([row(1, split=split)])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("it's a corpus"))
    videos = [write_video(store, n) for n in range(6)]
    return store, videos, pack(store, videos, shard_bytes=4000, val_fraction=0.0)


def test_samples_tell_the_truth(corpus):
    store, videos, samples = corpus
    assert samples.schema == SAMPLE
    assert samples.num_rows == 30
    units = {video["video_id"]: store.read_tensors(video["distill_unit"]) for video in videos}
    for sample in samples.to_pylist():
        keyframes = int((units[sample["video_id"]]["query_keyframes"][sample["row"]] >= 0).sum())
        assert sample["num_keyframes"] == keyframes
        assert sample["num_visual_tokens"] == keyframes * TOKENS_A_KEYFRAME + sample["num_frames"] - keyframes
        assert (sample["licence"], sample["source"], sample["split"]) == ("CC-BY", "test", "train")
        data = store.read_bytes(sample["shard"])
        assert sample["shard_bytes"] == len(data)
        assert sample["shard_sha256"] == hashlib.sha256(data).hexdigest()


def test_plain_webdataset_reads_the_shards(corpus):
    store, _, samples = corpus
    shards = sorted({store.full(shard) for shard in samples["shard"].to_pylist()})
    assert len(shards) > 1
    seen = 0
    for sample in wds.WebDataset(shards, shardshuffle=False).decode():
        assert sample["json"]["sample_key"] == sample["__key__"]
        assert sample["json"]["licence"] == "CC-BY"
        assert sample["json"]["width"] == 640
        tensors = safetensors_numpy.load(sample["tokens.safetensors"])
        assert len(sample["qa.json"]) == sample["json"]["num_qa"] == len(tensors["merged_tokens"])
        assert sample["qa.json"][0]["conversations"][1]["value"] == "réponse 0"
        assert sample["qa.json"][1]["options"] == ["a", "réponse 1"]
        seen += len(sample["qa.json"])
    assert seen == 30


def test_byte_ranges_from_plain_duckdb_are_the_members(corpus):
    store, _, _ = corpus
    table = store.full("tables/samples.parquet").replace("'", "''")
    found = duckdb.sql(
        f"select shard, qa_id, row, qa_offset, qa_bytes, tokens_offset, tokens_bytes from '{table}' where row = 3"
    ).fetchall()
    assert len(found) == 6
    for shard, qa_id, row_, qa_offset, qa_bytes, tokens_offset, tokens_bytes in found:
        with open(store.full(shard), "rb") as file:  # noqa: PTH123 - as any program would
            file.seek(qa_offset)
            assert json.loads(file.read(qa_bytes))[row_]["qa_id"] == qa_id
            file.seek(tokens_offset)
            assert safetensors_numpy.load(file.read(tokens_bytes))["merged_tokens"].shape[0] == 5


def test_the_same_units_give_the_same_bytes(corpus, tmp_path):
    store, videos, samples = corpus
    other = Store(tmp_path)
    again = pack(other, [write_video(other, n) for n in range(6)], shard_bytes=4000, val_fraction=0.0)
    assert again.equals(samples)
    for shard in set(samples["shard"].to_pylist()):
        assert other.read_bytes(shard) == store.read_bytes(shard)


@pytest.mark.parametrize("clips", [True, False])
def test_a_large_video_is_split_by_qa(tmp_path, clips):
    store = Store(tmp_path)
    video = write_video(store, 1, num_frames=40, num_queries=11, clips=clips)
    samples = pack(store, [video], val_fraction=0.0, group_bytes=2048)
    groups = samples["sample_key"].to_pylist()
    assert groups[0] == f"{video['video_id']}-00000"
    assert len(set(groups)) > 2
    assert groups == sorted(groups)
    assert samples["qa_id"].to_pylist() == sorted(samples["qa_id"].to_pylist())
    whole = store.read_tensors(video["distill_unit"])
    query = 0
    for sample in wds.WebDataset(store.full(samples["shard"][0].as_py()), shardshuffle=False).decode():
        part = safetensors_numpy.load(sample["tokens.safetensors"])
        assert ("clip_tokens" in part) == clips
        for own, pair in enumerate(sample["qa.json"]):
            assert pair["qa_id"].endswith(f"{query:04d}")
            mine, all_ = part["query_keyframes"][own], whole["query_keyframes"][query]
            assert np.array_equal(part["keyframes"][mine[mine >= 0]], whole["keyframes"][all_[all_ >= 0]])
            assert np.array_equal(part["merged_tokens"][own], whole["merged_tokens"][query])
            query += 1
    assert query == 11


def test_what_each_part_repeats_at_most_doubles_a_video(tmp_path):
    store = Store(tmp_path)
    video = write_video(store, 1, num_frames=400, num_queries=12)
    pack(store, [video], val_fraction=0.0, group_bytes=1024)
    assert store.size("shards/train/000000.tar") < 2 * video["distill_bytes"] + 40_000


def one_unit(store: Store, **settings) -> tuple[dict, PackConfig]:
    config = PackConfig(val_fraction=0.0, **settings)
    unit = next(plan_shards([write_video(store, n) for n in range(2)], config))
    return {**unit, "unit_path": stage(config).unit_path(unit)}, config


def test_a_shard_stands_for_the_plan_it_was_written_for(tmp_path):
    store = Store(tmp_path)
    unit, config = one_unit(store)
    assert not stands(unit, store)
    store.write_tables(unit["unit_path"], run(unit, config, store), SAMPLE)
    assert stands(unit, store)
    assert shard_key(store, unit["shard"]) == unit["unit_path"]
    other, other_config = one_unit(store, group_bytes=1024)
    store.write_tables(other["unit_path"], run(other, other_config, store), SAMPLE)
    assert stands(other, store)
    assert not stands(unit, store)
    whole = store.read_bytes(unit["shard"])
    store.write_bytes(unit["shard"], whole[:-10240])
    assert not stands(other, store)
    store.delete(unit["shard"])
    assert not stands(other, store)


def test_a_failed_shard_leaves_no_file(tmp_path):
    store = Store(tmp_path)
    unit, config = one_unit(store)
    store.delete(json.loads(unit["videos"])[1]["distill_unit"])
    with pytest.raises(FileNotFoundError):
        list(run(unit, config, store))
    assert list(store.files("shards")) == []


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


def spoil_bit(store, video):
    data = bytearray(store.read_bytes(video["distill_unit"]))
    data[-1] ^= 1
    store.write_bytes(video["distill_unit"], bytes(data))


def spoil_pairs(store, video):
    store.write_tables(video["write_qa_unit"], [QA.empty_table()], QA)
    store.write_tables(video["select_unit"], [SELECTION.empty_table()], SELECTION)


@pytest.mark.parametrize("group_bytes", [1 << 28, 1024])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_pairs, "no QA pairs"),
        (spoil_bit, "units/distill_unit/.* differs from its checksum"),
        (spoil_order, "not row by row"),
        (spoil_owner, "of other videos"),
        (spoil_keyframes, "selected were"),
        (spoil_frames, "differ in their number of frames"),
        (spoil_time, "time_s is not ascending"),
        (spoil_queries, "merged_tokens has 4 rows for 5 QA pairs"),
    ],
)
def test_units_that_do_not_belong_together_are_refused(tmp_path, spoil, message, group_bytes):
    store = Store(tmp_path)
    video = write_video(store, 1, num_frames=60)
    spoil(store, video)
    with pytest.raises(ValueError, match=message):
        pack(store, [video], val_fraction=0.0, group_bytes=group_bytes)
    assert list(store.files("shards")) == []


def test_the_declaration_reads_what_the_planner_gives():
    unit = next(plan_shards([row(1)], PackConfig()))
    assert unit.keys() == set(PACK_UNIT.names)
    assert stage(PackConfig()).unit_path(unit).startswith("units/pack/")
