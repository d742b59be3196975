"""Annotation files joined to the videos of a folder: what is told of each, and what finds no partner."""

import json

import pytest

from pipeline.inputs.addresses import resolve
from pipeline.inputs.annotation_join import write_joined_manifest
from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.manifest_writer import make_manifest
from stages.annotate import READS, AnnotateConfig, annotate
from stages.download import DownloadConfig
from tests.manifests import read_manifest
from tests.pipeline.command_line import run
from workers.storage.store import Store

TURNS = [{"from": "human", "value": "<image>\nWho?"}, {"from": "gpt", "value": "She."}]
DENSE = {
    "v_A": {
        "duration": 20.0,
        "timestamps": [[5, 30], [0.5, 9], [0.5, 9]],
        "sentences": ["He stands.", "He sits.", "He sits."],
    },
    "v_B": {"duration": 20.0, "timestamps": [[1, 2]], "sentences": ["She runs."]},
}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def folder(tmp_path):
    """Videos A, B in a folder, and C."""
    for name in ("A.mp4", "sub/v_B.mkv", "C [abcdefghijk].webm"):
        write(tmp_path / "videos" / name, "no video")
    return tmp_path / "videos"


def join(folder, *files, **options):
    """Rows by id, the events of each, and the report."""
    path = folder.parent / "m.jsonl"
    report = write_joined_manifest(make_manifest(folder), path, files, **options)
    rows = {row["id"]: row for row in read_manifest(path, DownloadConfig()).to_pylist()}
    events = {
        name: [json.loads(line) for line in open(resolve(row["events_file"], str(folder.parent)))]  # noqa: PTH123, SIM115
        for name, row in rows.items()
        if row["events_file"]
    }
    return rows, events, report


def test_events_of_one_file_go_to_their_videos(folder, tmp_path):
    rows, events, report = join(folder, write(tmp_path / "dense.json", {**DENSE, "v_D": DENSE["v_B"]}))
    assert list(rows) == ["A.mp4", "C [abcdefghijk].webm", "sub/v_B.mkv"]
    assert [(e["start_s"], e["end_s"], e["text"]) for e in events["A.mp4"]] == [
        (0.5, 9.0, "He sits."),
        (5.0, 20.0, "He stands."),
    ]
    assert [e["text"] for e in events["sub/v_B.mkv"]] == ["She runs."]
    assert report.lines() == [
        "dense.json: activitynet; 2 records joined, 1 of other videos",
        "2 of 3 videos with annotations: 3 events, 0 conversations",
        "left out: 1 duplicate",
        "repaired: 1 cut_to_video",
        "kept as they are: 1 overlapping",
        "matching no video: 1 id, e.g. 'v_D'",
        "in no annotation file: 1 video, e.g. 'C [abcdefghijk].webm'",
    ]
    lines = [json.loads(line) for line in (tmp_path / "m.annotations/report.jsonl").read_text().splitlines()]
    assert lines[0] == {
        "id": "A.mp4",
        "events": 2,
        "conversations": 0,
        "repaired": {"cut_to_video": 1},
        "noted": {"overlapping": 1},
        "dropped": {"duplicate": 1},
    }


def test_each_event_and_conversation_tells_its_file_row_format_and_licence(folder, tmp_path):
    dense = write(tmp_path / "dense.json", DENSE)
    write(tmp_path / "sub/llava.json", [{"video": "C", "conversations": TURNS}] * 2)
    write(folder / "A.events.jsonl", '\n{"start_s": 1, "end_s": 2, "text": "mine"}\n')
    (folder / "C [abcdefghijk].webm").rename(folder / "C.webm")
    rows, events, _ = join(folder, dense, tmp_path / "sub", licences=("MIT", "CC BY-SA 4.0"))
    assert [e["origin"] for e in events["A.mp4"]] == [
        {"file": "dense.json", "row": 1, "format": "activitynet", "licence": "MIT"},
        {"file": "A.events.jsonl", "row": 2, "format": "events"},
        {"file": "dense.json", "row": 1, "format": "activitynet", "licence": "MIT"},
    ]
    assert events["sub/v_B.mkv"][0]["origin"]["row"] == 2
    origins = json.loads(rows["C.webm"]["conversation_origins"])
    assert origins == [
        {"file": "sub/llava.json", "row": row, "format": "llava", "licence": "CC BY-SA 4.0"} for row in (1, 2)
    ]


def test_the_stage_annotate_reads_what_was_joined(folder, tmp_path):
    narrations = {
        "videos": {"A": {"narration_pass_1": {"narrations": [{"timestamp_sec": 3, "narration_text": "#C C cuts"}]}}}
    }
    whole = "videoid,name,contentUrl\nA,a kitchen,https://x.org/a.mp4\n"
    rows, _, _ = join(folder, write(tmp_path / "n.json", narrations), write(tmp_path / "w.csv", whole))
    unit = {**dict.fromkeys(READS.names), "video_id": "v", "duration_s": 60.0, "annotation_stamp": ""}
    unit["events_file"] = resolve(rows["A.mp4"]["events_file"], str(tmp_path))
    [table] = annotate(unit, AnnotateConfig(), Store(tmp_path))
    found = [(e["start_s"], e["end_s"], e["kind"], e["text"], e["is_point"]) for e in table.to_pylist()[0]["events"]]
    assert found == [(0.0, 60.0, "caption", "a kitchen", False), (3.0, 4.0, "event", "#C C cuts", True)]


def test_files_of_one_data_set_complete_each_other(folder, tmp_path):
    steps = write(tmp_path / "steps/1234_A.csv", "1,1.5,2.5\n2,3,4\n")
    tasks = write(tmp_path / "steps/tasks.txt", "1234\nTea\nhttps://x.org\n1\nboil water\n")
    japanese = write(tmp_path / "ja.json", {"database": {"B": {"annotations": [{"id": 0, "sentence": "煮る"}]}}})
    english = {"database": {"B": {"duration": 9, "annotations": [{"id": 0, "segment": [1, 2], "sentence": "boil"}]}}}
    _, events, report = join(folder, steps, japanese, tasks, write(tmp_path / "en.json", english))
    assert [(e["start_s"], e["text"]) for e in events["A.mp4"]] == [(1.5, "boil water")]
    assert [(e["start_s"], e["text"]) for e in events["sub/v_B.mkv"]] == [(1.0, "boil"), (1.0, "煮る")]
    assert report.counts["no_text"] == 1


def test_a_folder_of_files_one_per_video(folder, tmp_path):
    write(tmp_path / "asr/A.csv", "start,end,text\n0,2,hi all\n")
    write(tmp_path / "asr/abcdefghijk.en.json3", {"events": [{"tStartMs": 500, "segs": [{"utf8": "hello"}]}]})
    write(tmp_path / "asr/bad.csv", "a,b\n1,2\n")
    write(tmp_path / "asr/.hidden.json", "{")
    _, events, report = join(folder, tmp_path / "asr")
    assert [e["text"] for e in events["A.mp4"]] == ["hi all"]
    assert events["C [abcdefghijk].webm"] == [
        {
            "start_s": 0.5,
            "end_s": 0.5,
            "is_point": True,
            "kind": "speech",
            "text": "hello",
            "origin": {"file": "asr/abcdefghijk.en.json3", "row": 1, "format": "youtube_json3"},
        }
    ]
    assert report.sources[0].formats == {"howto100m": 1, "youtube_json3": 1}
    assert report.lines()[1].startswith("could not be read: 1 file, e.g. 'bad.csv': has no known form: convert it to")


def test_files_that_cannot_be_read_are_named_by_reason(folder, tmp_path):
    for name in ("a", "b", "c", "d"):
        write(tmp_path / f"mix/{name}.yaml", "datasets:\n  - json_path: x.json\n")
    write(tmp_path / "mix/e.json", '{"x')
    listed = "could not be read: 4 files, e.g. 'a.yaml', 'b.yaml', 'c.yaml': lists annotation files; give those files"
    with pytest.raises(ManifestError) as caught:
        join(folder, tmp_path / "mix")
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path}/mix: {listed}") and "1 file, e.g. 'e.json': bad JSON" in second
    write(tmp_path / "mix/dense.json", DENSE)
    _, _, report = join(folder, tmp_path / "mix")
    assert report.lines()[1].startswith(listed)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ManifestError, match="nothing: the folder has no files"):
        join(folder, tmp_path / "nothing")


def test_an_address_of_no_video_here_is_reported_by_the_id_in_it(folder, tmp_path):
    step = {"id": 0, "segment": [1, 2], "sentence": "boil"}
    entry = {"video_url": "https://www.youtube.com/watch?v=9GX8f5EwwE4", "duration": 9, "annotations": [step]}
    *_, report = join(folder, write(tmp_path / "yc.json", {"0": entry}))
    assert "matching no video: 1 id, e.g. '9GX8f5EwwE4'" in report.lines()


def test_a_manifest_that_would_be_empty_replaces_none(folder, tmp_path, capsys):
    path = tmp_path / "m.jsonl"
    path.write_text("kept")
    other = write(tmp_path / "other.json", {"v_D": DENSE["v_B"]})
    options = ["--out", path, "--replace", "--only-annotated"]
    assert run("manifest", folder, *options, "--annotations", other) == 2
    assert "--only-annotated: no video has an id of the annotation files, such as 'v_D'" in capsys.readouterr().err
    assert run("manifest", folder, *options) == 2
    assert "--only-annotated: needs --annotations" in capsys.readouterr().err
    write(folder / "A.events.jsonl", "{")  # found while rows are written
    assert run("manifest", folder, *options, "--annotations", write(tmp_path / "dense.json", DENSE)) == 2
    assert path.read_text() == "kept" and not list(tmp_path.glob(".*"))


def test_cuts_of_a_video_are_placed_in_it(folder, tmp_path):
    query = {"qid": 1, "query": "He sings", "duration": 150, "vid": "A_60.0_210.0", "relevant_windows": [[0, 16]]}
    _, events, _ = join(folder, write(tmp_path / "q.jsonl", query))
    assert [(e["start_s"], e["end_s"]) for e in events["A.mp4"]] == [(60.0, 76.0)]
    write(folder / "A_60.0_210.0.mp4", "the cut itself")
    _, events, _ = join(folder, tmp_path / "q.jsonl")
    assert list(events) == ["A_60.0_210.0.mp4"] and events["A_60.0_210.0.mp4"][0]["start_s"] == 0.0


def test_conversations_splits_and_lists_of_ids(folder, tmp_path):
    llava = [{"video": "A.mp4", "conversations": TURNS}, {"video": "A.mp4", "conversations": TURNS[::-1] + TURNS}]
    rows, _, report = join(
        folder,
        write(tmp_path / "llava.json", llava),
        write(tmp_path / "splits.json", {"train": ["A"], "val_seen": ["B"]}),
        only_annotated=True,
    )
    assert {name: row["split"] for name, row in rows.items()} == {"A.mp4": "train", "sub/v_B.mkv": "val_seen"}
    assert len(json.loads(rows["A.mp4"]["conversations"])) == 2 == report.conversations


def test_events_beside_a_video_are_kept(folder, tmp_path):
    write(folder / "A.events.jsonl", {"start_s": 1, "end_s": "end", "text": "mine", "kind": "scene"})
    _, events, _ = join(folder, write(tmp_path / "dense.json", DENSE))
    assert [(e["start_s"], e["end_s"], e["text"]) for e in events["A.mp4"]] == [
        (0.5, 9.0, "He sits."),
        (1.0, "end", "mine"),
        (5.0, 20.0, "He stands."),
    ]


def test_an_id_that_means_several_videos_is_joined_to_none(folder, tmp_path):
    write(folder / "sub/A.mp4", "another")
    _rows, events, report = join(folder, write(tmp_path / "dense.json", DENSE))
    assert list(events) == ["sub/v_B.mkv"]
    assert "matching several videos, not joined: 1 id, e.g. 'v_A'" in report.lines()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("{}", {}, r"a\.json: has no known form"),
        ('{"secret', {}, r"a\.json: bad JSON"),
        (DENSE, {"format_name": "didemo"}, r"a\.json: is not of the format didemo"),
        (DENSE, {"format_name": "x"}, "--annotation-format 'x': use one of activitynet"),
    ],
)
def test_a_named_file_that_cannot_be_read_is_an_error(folder, tmp_path, content, options, message):
    with pytest.raises(ManifestError, match=message) as caught:
        join(folder, write(tmp_path / "a.json", content), **options)
    assert "secret" not in str(caught.value)
    with pytest.raises(ManifestError, match="no such file or folder of annotations"):
        join(folder, tmp_path / "none.json")


def test_the_command(folder, tmp_path, capsys):
    dense, more = write(tmp_path / "dense.json", DENSE), write(tmp_path / "ids.csv", "video_path\nA.mp4\n")
    options = ["--out", tmp_path / "m.jsonl", "--annotations", dense, more, "--only-annotated"]
    assert run("manifest", folder, *options) == 0
    said = capsys.readouterr().out
    assert "2 of 3 videos with annotations: 3 events" in said and f"{tmp_path}/m.jsonl: 2 videos" in said
    assert len((tmp_path / "m.jsonl").read_text().splitlines()) == 2
    licences = ["--annotation-licence", "MIT", "--annotation-licence", "CC0-1.0", "--annotation-licence", "x"]
    assert run("manifest", folder, *options, *licences, "--replace") == 2
    assert "--annotation-licence: given 3 times" in capsys.readouterr().err
    assert run("manifest", folder, *options, *licences[:4], "--replace") == 0
    capsys.readouterr()
    assert run("manifest", folder, "--annotations", dense, "--annotation-format", "didemo") == 2
    assert "dense.json: is not of the format didemo" in capsys.readouterr().err
