"""Manifests with a row per clip."""

import json

import pytest

from pipeline.inputs.clip_lists import merge_clips
from pipeline.inputs.manifest_rows import ManifestError
from tests.manifests import read_manifest

A, B = "https://example.org/a.mp4", "https://example.org/b.mp4"


def merged(*rows):
    return [row for _, row in merge_clips((f"line {n}", row) for n, row in enumerate(rows, 1))]


def clip(uri, start, end, text, **columns):
    return {"uri": uri, "start_s": start, "end_s": end, "text": text, **columns}


def test_the_rows_of_one_address_are_one_video_with_events(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(
        f"uri,start_s,end_s,text,licence\n{A},17.7,23.2,A dog runs.,CC0\n{B},1,2,A cat.,\n"
        f"{A},00:04:52.140,00:05:03.350,It swims.,CC0\n"
    )
    rows = {row["uri"]: row for row in read_manifest(path).to_pylist()}
    assert {uri: json.loads(row["events"]) for uri, row in rows.items()} == {
        A: [
            {"start_s": 17.7, "end_s": 23.2, "kind": "clip", "text": "A dog runs."},
            {"start_s": 292.14, "end_s": 303.35, "kind": "clip", "text": "It swims."},
        ],
        B: [{"start_s": 1.0, "end_s": 2.0, "kind": "clip", "text": "A cat."}],
    }
    assert (rows[A]["id"], rows[A]["licence"]) == (A, "CC0")


def test_ids_of_clips_are_not_those_of_videos():
    rows = merged(*(clip(A, n, n + 1, f"{n}", id=f"clip {n}") for n in range(3)))
    assert [(row["id"], len(row["events"])) for row in rows] == [(None, 3)]
    assert merged(clip(A, 1, 2, "a", id="x"), clip(A, 2, 3, "b", id="x"))[0]["id"] == "x"


def test_captions_of_whole_videos_and_clips_without_words():
    [row] = merged({"path": A, "text": "All of it."}, {"path": A, "start_s": 1, "end_s": 2})
    assert row["events"] == [
        {"start_s": 0, "end_s": "end", "kind": "caption", "text": "All of it."},
        {"start_s": 1.0, "end_s": 2.0, "kind": "clip", "text": ""},
    ]


def test_other_rows_stay_as_they_are():
    rows = [{"uri": A, "events": []}, "no row", {"uri": B, "text": None}, {"text": "without address"}]
    assert merged(*rows) == rows


def test_a_time_that_cannot_be_read_is_left_to_the_reader_of_events():
    assert merged(clip(A, "soon", 2, "a"))[0]["events"] == [
        {"start_s": "soon", "end_s": 2.0, "kind": "clip", "text": "a"}
    ]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            {"licence": "MIT"},
            "line 2: licence = 'MIT', but 'CC0' in line 1",
        ),
        ({"events": [1]}, "line 2: a row has either `events` or the columns of a clip"),
    ],
)
def test_rows_that_disagree_are_named(second, message):
    with pytest.raises(ManifestError, match=message):
        merged(clip(A, 1, 2, "a", licence="CC0"), clip(A, 2, 3, "b", **{"licence": "CC0", **second}))


@pytest.mark.parametrize("columns", [({"licence": "CC0"}, {}), ({}, {"licence": "CC0"})])
def test_a_column_that_only_one_clip_of_a_video_has_is_named_in_any_order(columns):
    with pytest.raises(ManifestError, match="line 2: licence = "):
        merged(*(clip(A, n, n + 1, "a", **own) for n, own in enumerate(columns)))


@pytest.mark.parametrize("columns", [({"id": "x"}, {}), ({}, {"id": "x"})])
def test_a_video_has_no_id_if_only_some_of_its_clips_have_one(columns):
    [row] = merged(*(clip(A, n, n + 1, "a", **own) for n, own in enumerate(columns)))
    assert row["id"] is None


def test_many_clips_are_grouped_without_order():
    rows = merged(*(clip(f"v{n % 500}.mp4", n, n + 1, f"{n}") for n in range(5000)))
    assert sorted(row["uri"] for row in rows) == sorted(f"v{n}.mp4" for n in range(500))
    assert all(
        [e["start_s"] for e in row["events"]] == [int(row["uri"][1:-4]) + 500 * n for n in range(10)] for row in rows
    )
