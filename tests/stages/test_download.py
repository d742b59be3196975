import hashlib
import os
import shutil
import time
import traceback
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from schemas.config import ConfigError, parse
from schemas.rejects import Reject
from stages.download import FETCHING, DownloadConfig, is_complete, run, stage
from tests import faulty_server as servers
from tests.faulty_server import faulty_server
from tests.numbered_video import write_video
from workers.storage.file_lock import locked
from workers.storage.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "corpus")


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "in put.mp4", np.arange(30) / 30)


def unit(uri, **columns):
    empty = dict.fromkeys(("sha256", "licence", "source", "split"))
    named = {"video_id": "a" * 16, "id": "one", "uri": str(uri), "location": str(uri)}
    return {**named, "source_stamp": "", **empty, **columns}


def row(uri, store, columns=None, **config):
    (table,) = run(unit(uri, **columns or {}), DownloadConfig(**config), store)
    return table.to_pylist()[0]


def files(store):
    return list(store.files("media"))


def test_a_local_file_is_referenced_in_place(video, store):
    found = row(video, store, {"licence": "CC0", "split": "train"})
    assert (found["media"], found["uri"]) == (None, "in put.mp4")
    assert found["sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()
    assert (found["name"], found["licence"], found["split"], found["source"]) == ("one", "CC0", "train", None)
    assert (found["frame_count"], found["size_bytes"]) == (30, video.stat().st_size)
    assert not files(store)
    moved = row("../in put.mp4", store, {"location": str(video)})
    assert moved == {**found, "uri": "../in put.mp4", "licence": None, "split": None}


def test_a_copy_is_named_by_its_content(video, store):
    found = row(video, store, media="copy")
    assert files(store) == [found["media"]] == [f"media/{found['sha256'][:2]}/{found['sha256']}.mp4"]
    assert store.read_bytes(found["media"]) == video.read_bytes()


def test_equal_files_are_kept_once_whatever_their_names(video, store):
    twin = shutil.copy(video, video.with_name("x; rm -rf $HOME .html"))
    assert row(video, store, media="copy")["media"] == row(twin, store, media="copy")["media"]
    assert len(files(store)) == 1


@pytest.mark.parametrize("columns", [{"sha256": "0" * 64}])
def test_checksum(video, store, columns):
    with pytest.raises(Reject, match="checksum_mismatch"):
        row(video, store, columns)
    good = hashlib.sha256(video.read_bytes()).hexdigest().upper()
    assert row(video, store, {"sha256": good})["sha256"] == good.lower()


@pytest.mark.parametrize("name", ["none.mp4", "x" * 5000, "x/" * 3000 + "v.mp4"])
def test_what_is_not_there_is_named_in_short(store, tmp_path, name):
    with pytest.raises(Reject, match="not_found") as rejected:
        row(f"{tmp_path}/{name}", store)
    assert len(rejected.value.detail) < 200


def test_missing(store, tmp_path):
    with pytest.raises(Reject, match="not_found") as rejected:
        row(tmp_path / "none.mp4", store)
    assert str(tmp_path) not in rejected.value.detail


def test_a_fetched_file_is_fetched_once(video, store, monkeypatch):
    monkeypatch.setattr("tests.faulty_server.BODY", video.read_bytes())
    with faulty_server() as server:
        address = f"http://me:pass@{server.url.removeprefix('http://')}/reset?token=secret"
        config = {"allow_private_addresses": True, "backoff_s": 0.0}
        found = row(address, store, **config)
        requests = len(server.requests)
        assert row(address, store, **config) == found
        assert len(server.requests) == requests == 5
    assert found["uri"] == f"{server.url}/reset"
    assert store.read_bytes(found["media"]) == video.read_bytes()
    assert not any("secret" in store.read_bytes(path).decode("latin1") for path in files(store))


def test_what_is_no_video_leaves_nothing(store):
    with faulty_server() as server:
        with pytest.raises(Reject, match="not_a_video"):
            row(f"{server.url}/good", store, allow_private_addresses=True)
        with pytest.raises(Reject, match="refused"):
            row(f"{server.url}/good", store)
    assert not files(store)


def test_a_damaged_media_file_is_not_committed(video, store):
    one = stage(DownloadConfig(media="copy"))
    work = unit(video)
    work["unit_path"] = one.unit_path(work)
    store.write_tables(work["unit_path"], run(work, one.config, store), one.writes)
    assert is_complete(work, store)
    media = files(store)[0]
    store.write_bytes(media, b"x")
    assert not is_complete(work, store)


def test_how_a_file_is_fetched_is_no_part_of_its_path(video):
    path = stage(DownloadConfig()).unit_path(unit(video))
    assert path == stage(DownloadConfig(attempts=2, max_bytes=10)).unit_path(unit(video))
    assert path != stage(DownloadConfig(media="copy")).unit_path(unit(video))
    assert path != stage(DownloadConfig()).unit_path(unit(video, source_stamp="1:2"))


def extract(uri, folder, limits):
    """An extractor: the page's video, found without the network."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_video(folder / "found.mp4", np.arange(30) / 30)


def fail(uri, folder, limits):
    token = parse_qs(urlsplit(uri).query)["token"][0]
    raise OSError(f"cannot get {uri}: bad token {token}")


def refuse(uri, folder, limits):
    raise Reject("refused", f"{uri} is private")


@pytest.mark.parametrize(("function", "error"), [("fail", RuntimeError), ("refuse", Reject)])
def test_what_goes_wrong_is_said_without_secrets(store, function, error):
    config = {"extractors": {"tube.example": f"{__name__}:{function}"}}
    address = "https://me:PASS@tube.example/watch?token=s%20PASS&v=1".replace("PASS", "3" + "cret")
    with pytest.raises(error) as raised:
        row(address, store, **config)
    said = "".join(traceback.format_exception(raised.value))
    assert "https://tube.example/watch" in said
    assert "3cret" not in said


def test_an_extractor_takes_the_place_of_fetching(store):
    config = {"extractors": {"tube.example": f"{__name__}:extract", "example": "not.there:function"}}
    found = row("https://www.tube.example/watch?v=1", store, **config)
    assert (found["frame_count"], found["uri"]) == (30, "https://www.tube.example/watch")
    assert store.size(found["media"]) == found["size_bytes"]
    assert row("https://www.tube.example/watch?v=1", store, **config) == found
    with pytest.raises(Reject):
        row("http://127.0.0.1/nottube.example", store, attempts=1, **config)


@pytest.fixture
def served(video, monkeypatch):
    """A server whose every file is the video."""
    monkeypatch.setattr("tests.faulty_server.BODY", video.read_bytes())
    with faulty_server() as server:
        yield server


OPEN = {"allow_private_addresses": True, "backoff_s": 0.0, "attempts": 1}


def asked(server):
    return [path for path, _ in server.requests]


def test_an_address_that_is_signed_anew_keeps_its_file(served, store):
    first = row(f"{served.url}/good?v=1&X-Amz-Signature=a", store, **OPEN)
    again = row(f"{served.url}/good?v=1&X-Amz-Signature=b", store, **OPEN)
    assert again == first
    assert len(asked(served)) == 1
    row(f"{served.url}/good?v=2&X-Amz-Signature=b", store, {"video_id": "b" * 16}, **OPEN)
    assert len(asked(served)) == 2


def test_a_signature_of_another_row_says_nothing(served, store):
    row(f"{served.url}/good?token=a", store, **OPEN)
    row(f"{served.url}/good?token=b", store, {"video_id": "b" * 16}, **OPEN)
    assert len(asked(served)) == 2


def test_a_file_of_a_known_checksum_is_kept_wherever_it_lies(served, store, video):
    sha256 = {"sha256": hashlib.sha256(video.read_bytes()).hexdigest()}
    found = row(f"{served.url}/good", store, sha256, **OPEN)
    assert (
        row("https://other.invalid/v.mp4", store, {**sha256, "video_id": "b" * 16}, **OPEN)["media"] == found["media"]
    )
    path = stage(DownloadConfig()).unit_path
    one, other = (unit(uri, source_stamp="", **sha256) for uri in ("https://a.org/v", "https://b.org/v"))
    assert path(one) == path(other)


def test_a_new_checksum_fetches_the_file_again(served, store):
    row(f"{served.url}/good", store, **OPEN)
    with pytest.raises(Reject, match="checksum_mismatch"):
        row(f"{served.url}/good", store, {"sha256": "0" * 64}, **OPEN)
    assert len(asked(served)) == 2


def test_a_moved_file_of_the_same_tag_and_length_is_not_read_again(served, store, monkeypatch):
    found = row(f"{served.url}/good", store, **OPEN)
    sent = served.sent
    read = []
    monkeypatch.setattr("workers.fetch.partial_file._Writer.write", lambda self, block: read.append(block))
    assert row(f"{served.url}/whole_range", store, **OPEN)["media"] == found["media"]
    assert (asked(served)[1:], read) == (["/whole_range"], [])
    assert served.sent > sent
    row(f"{served.url}/whole_range", store, **OPEN)
    assert len(asked(served)) == 2  # the new address is noted


@pytest.mark.parametrize("path", ["tagged_anew", "untagged"])
def test_a_moved_file_of_another_tag_is_fetched(served, store, monkeypatch, path):
    tag = '"v2"' if path == "tagged_anew" else ""
    monkeypatch.setattr(servers._Handler, path, lambda self, number: self.send(servers.BODY, ETag=tag), raising=False)
    row(f"{served.url}/good", store, **OPEN)
    before = served.sent
    row(f"{served.url}/{path}", store, **OPEN)
    assert served.sent - before == len(servers.BODY)


def partial_files(store):
    return [path for path in store.files(FETCHING) if path.endswith("/data")]


def test_a_rejected_video_leaves_no_partial_file(served, store):
    with pytest.raises(Reject, match="incomplete"):
        row(f"{served.url}/reset", store, **OPEN)
    assert partial_files(store) == []


def test_all_partial_files_together_have_a_cap(served, store, video):
    old, new = (Path(store.full(f"{FETCHING}/{name}")) for name in ("old", "new"))
    for age, folder in ((20, old), (10, new)):
        folder.mkdir(parents=True)
        (folder / "data").write_bytes(b"x" * 1000)
        os.utime(folder / "data", (time.time() - age,) * 2)
    row(f"{served.url}/good", store, **OPEN, max_partial_bytes=1500)
    assert [path.parent.name for path in Path(store.full(FETCHING)).glob("*/data")] == ["new"]
    with locked(new.with_suffix(".lock")), pytest.raises(Reject, match="too_large.*download.max_partial_bytes = 500"):
        row(
            f"{served.url}/good",
            store,
            {"video_id": "b" * 16, "location": f"{served.url}/good?v=2"},
            **{**OPEN, "max_partial_bytes": 500},
        )
    assert [path.parent.name for path in Path(store.full(FETCHING)).glob("*/data")] == ["new"]


def test_local_files_stay_below_the_root(video, store, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.mp4").symlink_to(video)
    video.rename(inside / "real.mp4")
    (inside / "back.mp4").symlink_to("real.mp4")
    root = {"root": str(inside)}
    assert row(inside / "back.mp4", store, **root)["frame_count"] == 30
    shutil.copy(inside / "real.mp4", video)
    for refused in (inside / "link.mp4", video, f"{inside}/../{video.name}"):
        with pytest.raises(Reject, match="refused.*download.root"):
            row(refused, store, **root)
    with pytest.raises(Reject, match="refused.*download.root"):
        row(video, store, {"location": None})


def test_a_manifest_that_lies_elsewhere_reads_its_own_bucket_with_credentials():
    access = DownloadConfig().access("s3://lab/videos")
    assert (access.buckets, access.local_files) == (("s3://lab",), False)
    access = DownloadConfig(buckets=("gs://b/x",), allow_local_files=True).access("s3://lab/videos")
    assert (access.buckets, access.local_files) == (("gs://b/x",), True)
    access = DownloadConfig().access("/home/me")
    assert (access.buckets, access.local_files) == ((), True)
    assert not DownloadConfig().access().local_files


@pytest.mark.parametrize(
    ("field", "value"),
    [("buckets", ["lab"]), ("buckets", ["https://h/"]), ("proxy", "socks5://h:1"), ("proxy", "proxy:3128")],
)
def test_a_setting_that_cannot_be_meant_is_named(field, value):
    with pytest.raises(ConfigError, match=f"^{field} = "):
        parse(DownloadConfig, {field: value})


def test_a_recipe_is_kept_without_the_password_of_the_proxy():
    config = parse(DownloadConfig, {"proxy": "http://me:secret@proxy:3128"})
    assert config.access("").proxy == "http://me:secret@proxy:3128"
    assert config.model_dump(mode="json")["proxy"] == "http://proxy:3128"
    assert "secret" not in repr(config)
