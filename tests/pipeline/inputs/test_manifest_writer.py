"""Manifests of folders: what is listed, and how paths are written."""

import json

import pytest

from pipeline.inputs.addresses import manifest_folder, resolve
from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.manifest_writer import make_manifest, write_manifest
from tests.manifests import read_manifest


def located(manifest, path):
    return resolve(path, manifest_folder(manifest))


def test_made_written_and_read_again(tmp_path):
    (tmp_path / "data" / "sub").mkdir(parents=True)
    for name in ("a.mp4", "a.en.vtt", "a.events.jsonl", "sub/ü b.webm", "notes.txt"):
        (tmp_path / "data" / name).write_bytes(b"")
    rows = make_manifest(tmp_path / "data")
    assert [row["id"] for row in rows] == ["a.mp4", "sub/ü b.webm"]
    inside, beside = tmp_path / "m.jsonl", tmp_path / "elsewhere" / "m.jsonl"
    beside.parent.mkdir()
    assert write_manifest(rows, inside) == write_manifest(rows, beside) == 2
    first = json.loads(inside.read_text().splitlines()[0])
    assert first == {
        "id": "a.mp4",
        "uri": "data/a.mp4",
        "subtitles": ["data/a.en.vtt"],
        "events_file": "data/a.events.jsonl",
    }
    assert json.loads(beside.read_text().splitlines()[0])["uri"] == str(tmp_path / "data" / "a.mp4")
    for column in ("uri", "events_file"):
        read = [[located(path, p) for p in read_manifest(path)[column].to_pylist() if p] for path in (inside, beside)]
        assert read[0] == read[1]
    assert make_manifest(beside.parent / ".." / "data") == rows


def test_a_folder_without_media_or_absent_is_an_error(tmp_path):
    with pytest.raises(ManifestError, match="no media"):
        make_manifest(tmp_path)
    with pytest.raises(ManifestError, match="no such folder"):
        make_manifest(tmp_path / "none")
    (tmp_path / "film.mp4").touch()
    with pytest.raises(ManifestError, match="film.mp4: is a file; name the folder"):
        make_manifest(tmp_path / "film.mp4")


def test_the_real_videos_are_all_found(videos):
    facts = [json.loads(line)["path"] for line in (videos / "facts.jsonl").read_text().splitlines()]
    rows = {row["id"]: row for row in make_manifest(videos)}
    assert sorted(rows) == sorted(facts)
    assert rows["long/agent327_360p.mp4"]["subtitles"] == [
        str(videos / f"long/agent327_360p.{language}.vtt") for language in ("de", "en")
    ]
    assert rows["long/bbb_360p_moov_end.mp4"]["events_file"] == str(videos / "long/bbb_360p_moov_end.events.jsonl")
    assert rows["annotated/simpl_chrome.mp4"]["subtitles"] == []


def test_a_file_whose_name_reads_like_an_address_is_written_as_a_path(tmp_path):
    names = ["s3:x.mp4", " y.mp4", "me:pw@home.mp4", "100% #1?.mp4"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    write_manifest(make_manifest(tmp_path), tmp_path / "m.jsonl")
    assert [row["id"] for row in read_manifest(tmp_path / "m.jsonl").to_pylist()] == sorted(names)
    uris = [json.loads(line)["uri"] for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert uris == ["./ y.mp4", "100% #1?.mp4", "me:pw@home.mp4", "./s3:x.mp4"]
    (tmp_path / "z\n.mp4").write_bytes(b"")
    with pytest.raises(ManifestError, match=r"z\\n.mp4': it contains control characters; rename the file"):
        make_manifest(tmp_path)
