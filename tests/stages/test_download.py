import hashlib
import shutil
import traceback
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from schemas.rejects import Reject
from stages.download import DownloadConfig, run, stage, stands
from tests.faulty_server import faulty_server
from tests.numbered_video import write_video
from workers.storage import Store


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


def test_a_damaged_media_file_does_not_stand(video, store):
    one = stage(DownloadConfig(media="copy"))
    work = unit(video)
    work["unit_path"] = one.unit_path(work)
    store.write_tables(work["unit_path"], run(work, one.config, store), one.writes)
    assert stands(work, store)
    media = files(store)[0]
    store.write_bytes(media, b"x")
    assert not stands(work, store)


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
