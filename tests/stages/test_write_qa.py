"""The stage write_qa: its table, its queries, what its units depend on."""

import json

import numpy as np
import pyarrow as pa
import pytest

from schemas.config import ConfigError, TowerConfig, parse
from schemas.rejects import Reject
from schemas.tables.media import SHOT
from schemas.tables.qa import DROPPED_KEY, QA
from schemas.tables.text import ANNOTATION
from stages.qa.dropped import REASONS
from stages.qa.writing import write_pairs
from stages.write_qa import WriteQaConfig, stage
from tests.sentence_encoder import ENCODER
from tests.stages.qa.worlds import EIGHT, rows
from tests.tiny_towers import save_siglip, save_vit
from workers.storage.store import Store
from workers.towers.query_embedder import QueryEmbedder

UNIT = {
    "video_id": "v",
    "duration_s": 100.0,
    "annotate_unit": "units/annotate/v.parquet",
    "other_annotate_units": [None, None],
}


def put_annotation(store, path, events, clips=(), flags=(), left_out=()):
    told = [{**row, "source": "manifest"} for row in events]
    row = {"video_id": "v", "events": told, "clips": [*clips], "annotation_flags": [*flags], "events_outside_video": 0}
    row["rows_left_out"] = [*left_out]
    store.write_tables(path, [pa.Table.from_pylist([row], ANNOTATION)], ANNOTATION)


def run(store, config, events, clips=(), flags=(), left_out=(), **unit):
    put_annotation(store, UNIT["annotate_unit"], events, clips, flags, left_out)
    declared = stage(config)
    unit = {**UNIT, **unit}
    path = declared.unit_path(unit)
    store.write_tables(path, declared.run(declared.config, store)({**unit, "unit_path": path}), declared.writes)
    return store.read_table(path)


@pytest.fixture(scope="module")
def towers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("towers")
    return TowerConfig(model=save_vit(folder / "a")), TowerConfig(model=save_siglip(folder / "b"))


def test_pairs_with_the_queries_of_both_towers(tmp_path, towers):
    select, merge = towers
    table = run(Store(tmp_path), WriteQaConfig(select_tower=select, merge_tower=merge), rows(*EIGHT))
    assert table.schema.equals(QA)
    assert table.num_rows >= 15
    written = write_pairs(rows(*EIGHT), 100.0, WriteQaConfig(), "v")
    assert [pair["qa_id"] for pair in written] == table["qa_id"].to_pylist()
    joined = QueryEmbedder(merge)(["; ".join(pair["queries"]) for pair in written])
    assert np.array_equal(np.array(table["merge_query"].to_pylist(), np.float16), joined)
    for row, pair in zip(table["select_queries"].to_pylist(), written, strict=True):
        assert np.array_equal(np.array(row, np.float16), QueryEmbedder(select)(pair["queries"]))


def test_a_question_that_names_nothing_is_embedded_by_its_options(tmp_path, towers):
    config = WriteQaConfig(select_tower=towers[0], merge_tower=towers[0], tasks=("event_relationship",))
    table = run(Store(tmp_path), config, rows(*EIGHT)).to_pylist()
    row = next(row for row in table if row["form"] == "first_or_last")
    embedded = QueryEmbedder(towers[0])(sorted(row["options"]))
    assert np.array_equal(np.array(row["select_queries"], np.float16), embedded)


def test_what_was_left_out_is_in_the_unit(tmp_path, towers):
    config = WriteQaConfig(select_tower=towers[0], merge_tower=towers[0])
    store = Store(tmp_path)
    bad = {"reason": "no_time", "count": 2, "example": "row 3: start_s = 'soon'"}
    run(store, config, rows(*EIGHT, (90, 95, "[Music]")), left_out=[bad])
    [path] = store.files("units/write_qa")
    dropped = json.loads(store.read_metadata(path, DROPPED_KEY))
    assert {"video_id": "v", "what": "event", "reason": "no_event", "count": 1, "example": None} in dropped
    assert {"video_id": "v", "what": "row", **bad} in dropped
    assert any(row["what"] == "pair" and row["reason"] == "repeats" and row["count"] > 0 for row in dropped)
    assert all(row["reason"] in REASONS[row["what"]] for row in dropped)


def test_a_video_of_which_nothing_is_known_has_no_rows_and_loads_no_tower(tmp_path):
    table = run(Store(tmp_path), WriteQaConfig(select_tower=TowerConfig(model="no such model")), [])
    assert table.num_rows == 0 and table.schema.equals(QA)


def test_bytes_are_the_same_again(tmp_path, towers):
    config = WriteQaConfig(select_tower=towers[0], merge_tower=towers[1])
    path = stage(config).unit_path(UNIT)
    written = []
    for folder in ("one", "two"):
        run(Store(tmp_path / folder), config, rows(*EIGHT))
        written.append((tmp_path / folder / path).read_bytes())
    assert written[0] == written[1]


def test_pairs_that_take_too_long_are_a_reject_that_names_the_setting(tmp_path):
    config = WriteQaConfig(limits={"cpu_s": 0.25})
    many = [{**row, "event_id": f"{n}{row['event_id']}"} for n in range(1500) for row in rows(*EIGHT)]
    with pytest.raises(Reject, match="bad_annotation: .*events took too much: .*CPU seconds.*write_qa.limits"):
        run(Store(tmp_path), config, many)


def test_what_a_unit_depends_on(towers):
    base = stage(WriteQaConfig()).unit_path(UNIT)
    assert stage(WriteQaConfig(seed=1)).unit_path(UNIT) != base
    assert stage(WriteQaConfig(select_tower=towers[0])).unit_path(UNIT) != base
    assert stage(WriteQaConfig()).unit_path({**UNIT, "annotate_unit": "other"}) != base
    assert stage(WriteQaConfig(resources={"cpus": 2.0})).unit_path(UNIT) == base
    assert stage(WriteQaConfig(limits={"cpu_s": 2.0})).unit_path(UNIT) == base


def test_events_of_other_videos_are_asked_for_with_their_origin(tmp_path, towers):
    store = Store(tmp_path)
    config = WriteQaConfig(select_tower=towers[0], merge_tower=towers[0], absent_share=0.2)
    told = rows(*((10 * i, 10 * i + 10, text) for i, (_, _, text) in enumerate(EIGHT)))
    origin = {"file": "w.json", "format": "coin", "licence": "CC BY-SA 4.0", "row": 3, "prompt": None}
    [line] = rows((5, 9, "The sailor hoists a canvas sail."))
    put_annotation(store, "w.parquet", [{**line, "event_id": "w0", "video_id": "w", "origin": origin}])
    by = {"other_annotate_units": [None, "w.parquet"]}
    [pair] = [row for row in run(store, config, told, **by).to_pylist() if row["form"] == "absent"]
    assert pair["event_ids"] == ["w0"] and pair["other_video_id"] == "w"
    assert pair["flags"] == ["other_video"] and "sailor" in pair["question"]
    assert [(a["file"], a["licence"]) for a in pair["annotations"]] == [("w.json", "CC BY-SA 4.0")]
    embedded = QueryEmbedder(towers[0])(["The sailor hoists a canvas sail"])
    assert np.array_equal(np.array(pair["select_queries"], np.float16), embedded)
    partly = run(store, config, told, flags=("partly_annotated",), **by).to_pylist()
    assert partly and not any(row["form"] == "absent" for row in partly)


def test_only_a_share_of_absent_events_makes_a_unit_depend_on_other_videos():
    other = {**UNIT, "other_annotate_units": ["w.parquet", None]}
    assert stage(WriteQaConfig()).unit_path(other) != stage(WriteQaConfig()).unit_path(UNIT)
    for none in (stage(WriteQaConfig(absent_share=0.0)), stage(WriteQaConfig(clips="windows"))):
        assert none.unit_path(other) == none.unit_path(UNIT)


@pytest.mark.parametrize(
    "values", [{"tasks": ["poetry"]}, {"num_options": 1}, {"max_pairs": 0}, {"seed": -1}, {"colour": 1}]
)
def test_values_that_are_refused(values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        parse(WriteQaConfig, values)


def test_a_text_model_tells_paraphrases(tmp_path, towers):
    told = rows(*EIGHT, (80, 86, "a man puts on his shoes"), (90, 96, "someone is getting into footwear"))
    select, merge = towers

    def side_by_side(**settings):
        config = WriteQaConfig(select_tower=select, merge_tower=merge, **settings)
        options = ["; ".join(row["options"]) for row in run(Store(tmp_path), config, told).to_pylist()]
        return [listed for listed in options if "shoes" in listed and "footwear" in listed]

    assert side_by_side()
    assert not side_by_side(text_model=ENCODER, text_similarity=0.6)
    assert side_by_side(text_model="clip", text_similarity=1.0)


def test_a_text_model_is_checked_before_work_starts(tmp_path):
    with pytest.raises(ConfigError, match=r"text_model = .* there is no config.json in it"):
        parse(WriteQaConfig, {"text_model": str(tmp_path)})
    assert WriteQaConfig(text_model=ENCODER).semantic()["text_model"] != ENCODER


def test_rows_of_a_clip_list_are_samples_where_that_is_asked_for(tmp_path, towers):
    clips = [{"start_s": float(start), "end_s": float(end)} for start, end, _ in EIGHT]
    told = rows(*[(start, end, text, "clip") for start, end, text in EIGHT])
    config = WriteQaConfig(select_tower=towers[0], merge_tower=towers[0])
    assert {row["sample_window"] for row in run(Store(tmp_path), config, told, clips).to_pylist()} == {None}
    table = run(Store(tmp_path), config.model_copy(update={"clips": "windows"}), told, clips)
    assert [
        w for i, w in enumerate(table["sample_window"].to_pylist()) if w not in table["sample_window"][:i].to_pylist()
    ] == clips
    assert table["window"].equals(table["sample_window"])


def test_events_begin_and_end_at_cuts_where_that_is_asked_for(tmp_path, towers):
    """A cut lies a second after the start of the second event; the first shot's start is none."""
    store, shots = Store(tmp_path), "units/find_shots/v.parquet"
    starts = [0.4, 11.0, 60.5]
    shot = dict.fromkeys(SHOT.names)
    store.write_tables(shots, [pa.Table.from_pylist([{**shot, "start_s": start} for start in starts], SHOT)], SHOT)

    def evidence(seconds, unit=shots):
        config = WriteQaConfig(select_tower=towers[0], merge_tower=towers[0], snap_to_cuts_s=seconds)
        table = run(store, config, rows(*EIGHT), find_shots_unit=unit)
        return {span["start_s"] for spans in table["evidence"].to_pylist() for span in spans}

    assert {0.0, 10.0, 60.0} <= evidence(0.0)
    assert {0.0, 11.0, 60.5} <= evidence(1.5) and not {0.4, 10.0, 60.0} & evidence(1.5)
    assert evidence(1.5, unit=None) == evidence(0.0), "a video whose cuts could not be found"


def test_only_pairs_at_cuts_depend_on_find_shots():
    unit, other = ({**UNIT, "find_shots_unit": name} for name in ("one", "other"))
    free, bound = (stage(WriteQaConfig(snap_to_cuts_s=seconds)) for seconds in (0.0, 1.0))
    assert free.unit_path(unit) == free.unit_path(other)
    assert bound.unit_path(unit) != bound.unit_path(other)
