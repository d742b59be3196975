"""Shards are planned and written the same every time, hold what the stages gave, and are open to everyone."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import webdataset as wds
from safetensors import numpy as safetensors_numpy

from schemas.tables.qa import QA
from schemas.tables.shards import SAMPLE, SELECTION
from stages.pack import PACK_UNIT, PackConfig, is_complete, plan_shards, run, stage
from tests.workers.shards.shard_units import TOKENS_PER_KEYFRAME, group, pack, write_video
from workers.shards import samples
from workers.shards.writer import archive_bytes, shard_key
from workers.storage.store import Store


def row(number: int, **given) -> dict:
    units = {name: f"units/{name}/{number}" for name in ("group_unit", "write_qa_unit", "distill_unit")}
    return {**units, "video_id": f"{number:016x}", "split": "train", "packed_bytes": 16_384, **given}


def planned(videos, **settings) -> list[tuple[str, list[int]]]:
    units = plan_shards(videos, PackConfig(shard_bytes=40_960, **settings))
    return [(u["shard"], [int(v["video_id"], 16) for v in json.loads(u["videos"])]) for u in units]


def test_shards_are_cut_by_bytes_and_named_by_split():
    videos = [row(n, split="test" if n == 3 else "train") for n in range(1, 6)]
    assert planned(videos) == [
        ("shards/train/000000.tar", [1, 2]),
        ("shards/test/000000.tar", [3]),
        ("shards/train/000001.tar", [4, 5]),
    ]


def test_a_large_video_is_a_shard_alone():
    videos = [row(n, split="train", packed_bytes=50_000 if n == 2 else 16_384) for n in range(1, 5)]
    assert [numbers for _, numbers in planned(videos)] == [[1], [2], [3, 4]]


def test_no_videos_no_shards():
    assert planned([]) == []


@pytest.mark.parametrize("numbers", [[2, 1], [1, 1]])
def test_videos_out_of_order_are_refused(numbers):
    with pytest.raises(ValueError, match="sort the videos"):
        planned([row(n) for n in numbers])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("it's a corpus"))
    videos = [write_video(store, n) for n in range(6)]
    return store, videos, pack(store, videos, shard_bytes=40_000, val_fraction=0.0)


def test_samples_tell_the_truth(corpus):
    store, videos, samples = corpus
    assert samples.schema == SAMPLE
    assert samples.num_rows == 30
    units = {video["video_id"]: store.read_tensors(video["distill_unit"]) for video in videos}
    for sample in samples.to_pylist():
        keyframes = int((units[sample["video_id"]]["query_keyframes"][sample["row"]] >= 0).sum())
        assert sample["num_keyframes"] == keyframes
        assert sample["num_visual_tokens"] == keyframes * TOKENS_PER_KEYFRAME + sample["num_frames"] - keyframes
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


def question_tokens(tensors, row: int) -> list[np.ndarray]:
    """Keyframes and their tokens, other frames and their merged tokens, by the words of layout.py."""
    own = {
        int(tensors["keyframes"][entry]): tensors["keyframe_tokens"][entry]
        for entry in tensors["query_keyframes"][row].tolist()
        if entry != -1
    }
    others = [frame for frame in range(len(tensors["time_s"])) if frame not in own]
    return [[*own], [*own.values()], others, [tensors["merged_tokens"][row, frame] for frame in others]]


def test_the_document_shows_how_a_questions_tokens_are_read(corpus):
    store, _, samples = corpus
    document = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    (code,) = re.findall(r"^```python\n([^`]*webdataset\.WebDataset.*?)^```$", document, re.M | re.S)
    shard = samples["shard"][0].as_py()
    exec(code.replace("corpus/shards/train/000000.tar", store.full(shard)), scope := {})
    found = scope["found"]
    rows = [row for row in samples.to_pylist() if row["shard"] == shard]
    assert [qa_id for qa_id, *_ in found] == [row["qa_id"] for row in rows]
    for row, (_, *arrays) in zip(rows, found, strict=True):
        unit = store.read_tensors(f"units/distill_unit/{row['video_id']}")
        for array, wanted in zip(arrays, question_tokens(unit, row["row"]), strict=False):
            assert np.array_equal(array, np.array(wanted))
        assert np.array_equal(arrays[-1], unit["clip_tokens"])


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
    store, _videos, samples = corpus
    other = Store(tmp_path)
    again = pack(other, [write_video(other, n) for n in range(6)], shard_bytes=40_000, val_fraction=0.0)
    assert again.equals(samples)
    for shard in set(samples["shard"].to_pylist()):
        assert other.read_bytes(shard) == store.read_bytes(shard)


@pytest.mark.parametrize("group_bytes", [1 << 10, 1 << 11, 1 << 13, 1 << 20])
def test_shards_and_groups_keep_their_sizes(tmp_path, group_bytes):
    store = Store(tmp_path)
    videos = [write_video(store, n, 10 * n, 3 + n % 7, clips=bool(n % 3)) for n in range(1, 25)]
    samples = pack(store, videos, val_fraction=0.0, group_bytes=group_bytes, shard_bytes=60_000)
    sizes = {row["shard"]: row["shard_bytes"] for row in samples.to_pylist()}
    assert len(sizes) > 2
    videos_of = {shard: {r["video_id"] for r in samples.to_pylist() if r["shard"] == shard} for shard in sizes}
    assert all(size <= 60_000 or len(videos_of[shard]) == 1 for shard, size in sizes.items())
    whole = archive_bytes(sum(sizes.values()))
    assert len(sizes) <= 2 * whole / 60_000 + 1  # and none is closed early
    pairs_of = Counter(samples["sample_key"].to_pylist())
    for row in samples.to_pylist():
        assert row["qa_bytes"] + row["tokens_bytes"] <= group_bytes or pairs_of[row["sample_key"]] == 1


@pytest.mark.parametrize("group_bytes", [1 << 11, 1 << 26])
def test_the_groups_of_a_video_follow_each_other_and_the_first_has_its_clips(tmp_path, group_bytes):
    store = Store(tmp_path)
    videos = [write_video(store, n, num_frames=40, num_queries=11, clips=n != 2) for n in range(5)]
    samples = pack(store, videos, val_fraction=0.0, group_bytes=group_bytes, shard_bytes=40_000)
    met, clips = [], {}
    for shard in dict.fromkeys(samples["shard"].to_pylist()):
        for sample in wds.WebDataset(store.full(shard), shardshuffle=False).decode():
            video_id, part, num_parts = (sample["json"][name] for name in ("video_id", "part", "num_parts"))
            met.append((video_id, part, num_parts))
            assert ("clips.safetensors" in sample) == (part == 0 and video_id != videos[2]["video_id"])
            if part == 0 and "clips.safetensors" in sample:
                clips[video_id] = safetensors_numpy.load(sample["clips.safetensors"])["clip_tokens"]
            assert "clip_tokens" not in safetensors_numpy.load(sample["tokens.safetensors"])
    num_parts_of = {video_id: num_parts for video_id, _, num_parts in met}
    assert met == [(v, part, num_parts_of[v]) for v in num_parts_of for part in range(num_parts_of[v])]
    for video in videos:
        unit = store.read_tensors(video["distill_unit"])
        rows = [row for row in samples.to_pylist() if row["video_id"] == video["video_id"]]
        assert len({(row["clips_offset"], row["clips_bytes"]) for row in rows}) == 1
        if "clip_tokens" in unit:
            assert np.array_equal(clips[video["video_id"]], unit["clip_tokens"])
            data = store.read_bytes(rows[-1]["shard"])[rows[-1]["clips_offset"] :][: rows[-1]["clips_bytes"]]
            assert np.array_equal(safetensors_numpy.load(data)["clip_tokens"], unit["clip_tokens"])
        else:
            assert rows[0]["clips_bytes"] is None


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
        for own, pair in enumerate(sample["qa.json"]):
            assert pair["qa_id"].endswith(f"{query:04d}")
            mine, all_ = part["query_keyframes"][own], whole["query_keyframes"][query]
            assert np.array_equal(part["keyframes"][mine[mine >= 0]], whole["keyframes"][all_[all_ >= 0]])
            assert np.array_equal(part["merged_tokens"][own], whole["merged_tokens"][query])
            query += 1
    assert query == 11


def one_unit(store: Store, **settings) -> tuple[dict, PackConfig]:
    config = PackConfig(val_fraction=0.0, **settings)
    unit = next(plan_shards([group(store, write_video(store, n), config) for n in range(2)], config))
    return {**unit, "unit_path": stage(config).unit_path(unit)}, config


def test_a_shard_is_complete_for_the_plan_it_was_written_for(tmp_path):
    store = Store(tmp_path)
    unit, config = one_unit(store)
    assert not is_complete(unit, store)
    store.write_tables(unit["unit_path"], run(unit, config, store), SAMPLE)
    assert is_complete(unit, store)
    assert shard_key(store, unit["shard"]) == unit["unit_path"]
    other, other_config = one_unit(store, group_bytes=1024)
    store.write_tables(other["unit_path"], run(other, other_config, store), SAMPLE)
    assert is_complete(other, store)
    assert not is_complete(unit, store)
    whole = store.read_bytes(unit["shard"])
    store.write_bytes(unit["shard"], whole[:-10240])
    assert not is_complete(other, store)
    store.delete(unit["shard"])
    assert not is_complete(other, store)


def test_a_failed_shard_leaves_no_file(tmp_path):
    store = Store(tmp_path)
    unit, config = one_unit(store)
    store.delete(json.loads(unit["videos"])[1]["distill_unit"])
    with pytest.raises(FileNotFoundError):
        list(run(unit, config, store))
    assert list(store.files("shards")) == []


def test_a_unit_that_was_damaged_after_it_was_grouped_is_named(tmp_path):
    store = Store(tmp_path)
    unit, config = one_unit(store)
    damaged = json.loads(unit["videos"])[1]["distill_unit"]
    data = bytearray(store.read_bytes(damaged))
    data[-1] ^= 1
    store.write_bytes(damaged, bytes(data))
    with pytest.raises(ValueError, match=f"{damaged}: the data differs from its checksum"):
        list(run(unit, config, store))
    assert list(store.files("shards")) == []


def test_units_that_are_not_what_was_grouped_are_refused(tmp_path):
    store = Store(tmp_path)
    unit, config = one_unit(store)
    group_unit = json.loads(unit["videos"])[0]["group_unit"]
    write_video(store, 0, num_frames=200)
    with pytest.raises(ValueError, match=f"{group_unit}: plans"):
        list(run(unit, config, store))


def test_the_declaration_reads_what_the_planner_gives():
    unit = next(plan_shards([row(1)], PackConfig()))
    assert unit.keys() == set(PACK_UNIT.names)
    assert stage(PackConfig()).unit_path(unit).startswith("units/pack/")


def test_windows_are_samples_of_their_own_frames(tmp_path):
    store = Store(tmp_path)
    video = write_video(store, 1, num_frames=40, num_queries=3, clips=False)
    tensors = store.read_tensors(video["distill_unit"])
    kept, spans = [[4, 7], [5, 6], [30, 31]], [(2.0, 4.0), (2.0, 4.0), (15.0, 16.0)]
    union = np.unique(kept).astype("<i4")
    tensors |= {"keyframes": union, "query_keyframes": np.searchsorted(union, kept).astype("<i4")}
    tensors["keyframe_tokens"] = np.arange(len(union) * 32).reshape(len(union), 4, 8).astype("<f2")
    store.write_tensors(video["distill_unit"], tensors)
    selected = store.read_table(video["select_unit"]).to_pylist()
    rows = [{**row, "keyframes": frames} for row, frames in zip(selected, kept, strict=True)]
    store.write_tables(video["select_unit"], [pa.Table.from_pylist(rows, SELECTION)], SELECTION)
    own = [{"start_s": start, "end_s": end} for start, end in spans]
    pairs = store.read_table(video["write_qa_unit"]).to_pylist()
    pairs = [
        {**p, "sample_window": w, "window": w, "evidence": [{"start_s": w["start_s"] + 0.5, "end_s": w["end_s"]}]}
        for p, w in zip(pairs, own, strict=True)
    ]
    store.write_tables(video["write_qa_unit"], [pa.Table.from_pylist(pairs, QA)], QA)
    table = pack(store, [video], val_fraction=0.0)
    assert table["sample_key"].to_pylist() == [f"{video['video_id']}-{n:05d}" for n in (0, 0, 1)]
    assert (table["duration_s"].to_pylist(), table["num_frames"].to_pylist()) == ([2, 2, 1], [5, 5, 3])
    assert table["sample_window"].to_pylist() == own
    found = list(samples(store.full(table["shard"][0].as_py())))
    for row, sample in enumerate(found):
        first = kept[row][0] // 30 * 30 or 4
        assert sample["keyframes"].tolist() == [p - first for p in kept[row]]
        assert sample["time_s"].tolist() == [0.5 * n for n in range(len(sample["time_s"]))]
        assert np.array_equal(
            sample["merged_tokens"], tensors["merged_tokens"][row, first : first + len(sample["time_s"])]
        )
        assert np.array_equal(sample["keyframe_tokens"], tensors["keyframe_tokens"][np.searchsorted(union, kept[row])])
        assert sample["evidence"] == [{"start_s": 0.5, "end_s": own[row]["end_s"] - own[row]["start_s"]}]
        assert (sample["duration_s"], sample["sample_window"]) == (own[row]["end_s"] - own[row]["start_s"], own[row])
