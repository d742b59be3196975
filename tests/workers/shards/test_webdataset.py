"""The webdataset pipeline gives what was packed, to one worker each, and refuses shards that nobody should read."""

import io
import json
import os
import pickle
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

import workers.shards
from schemas.config import ConfigError
from tests.mutator import mutate
from tests.object_store import s3_corpus
from tests.workers.shards.shard_units import pack, write_video
from workers.shards import ShardReader, samples
from workers.shards.group import ShardError
from workers.shards.layout import tokens_metadata
from workers.storage.safetensors_file import decode_tensors, encode_tensors
from workers.storage.store import Store


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("corpus"))
    table = pack(store, [write_video(store, n, num_queries=3) for n in range(5)], val_fraction=0.0, shard_bytes=4000)
    return store, [store.full(shard) for shard in table["shard"].unique().to_pylist()]


def ids(pipeline) -> list[str]:
    return [sample["qa_id"] for sample in pipeline]


@pytest.mark.parametrize("clips", [False, True])
def test_samples_are_those_of_the_reader(corpus, clips):
    store, urls = corpus
    found = {sample["qa_id"]: sample for sample in samples(urls, clips=clips)}
    expected = list(ShardReader(store, clips=clips))
    assert len(found) == len(expected)
    for sample in expected:
        own = found[sample["qa_id"]]
        for name in sample.keys() - {"epoch", "position"}:
            assert np.array_equal(own[name], sample[name]), name
        assert own["video"]["name"].startswith("video n°")


def test_the_clips_of_a_video_come_with_each_of_its_groups(tmp_path):
    store = Store(tmp_path)
    pack(store, [write_video(store, 0)], val_fraction=0.0, group_bytes=2000)
    found = list(samples(store.full("shards/train/000000.tar"), clips=True))
    assert len({sample["sample_key"] for sample in found}) > 1
    assert all("clip_tokens" in sample for sample in found)


def test_each_worker_has_shards_of_its_own(corpus):
    _, urls = corpus
    pipeline = samples(urls, shuffle=3)
    pickle.loads(pickle.dumps(pipeline))  # as a loader that spawns its workers does
    assert sorted(ids(DataLoader(pipeline, batch_size=None, num_workers=2))) == sorted(ids(samples(urls)))


def test_ranks_divide_an_epoch(corpus, monkeypatch):
    _, urls = corpus
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        shares.append(ids(samples(urls, shuffle=4, seed=1)))
    monkeypatch.delenv("RANK")
    assert all(shares)
    assert sorted(shares[0] + shares[1]) == sorted(ids(samples(urls)))


def test_an_epoch_has_its_own_order(corpus):
    _, urls = corpus
    pipeline = samples(urls, shuffle=8, seed=2)
    first, second = ids(pipeline), ids(pipeline)
    assert first != second
    assert sorted(first) == sorted(second)
    assert second == ids(samples(urls, shuffle=8, seed=2, epoch=1))


def test_workers_that_stay_give_each_epoch_its_own_order(corpus):
    _, urls = corpus
    loader = DataLoader(samples(urls, shuffle=8, seed=2), batch_size=None, num_workers=1, persistent_workers=True)
    first, second = ids(loader), ids(loader)
    assert first != second
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize("hole", [tarfile.BLOCKSIZE, 8 * tarfile.BLOCKSIZE])
def test_a_header_of_zeros_between_groups_is_an_error(tmp_path, hole):
    store = Store(tmp_path)
    pack(store, [write_video(store, n) for n in range(5)], val_fraction=0.0)
    path = tmp_path / "shards" / "train" / "000000.tar"
    with tarfile.open(path) as tar:
        offset = next(member.offset for member in tar if member.name.startswith("0000000000000002"))
    damaged = bytearray(path.read_bytes())
    damaged[offset : offset + hole] = bytes(hole)
    path.write_bytes(damaged)
    with pytest.raises(ShardError, match="damaged or cut short at byte"):
        list(samples(str(path)))


def test_only_what_is_selected_is_read(corpus):
    _, urls = corpus
    key = next(iter(samples(urls)))["sample_key"]
    found = list(samples(urls, select=key.__eq__))
    assert {sample["sample_key"] for sample in found} == {key}


def test_one_string_may_have_braces(corpus):
    store, urls = corpus
    braces = f"{store.root}/shards/train/{{000000..{len(urls) - 1:06d}}}.tar"
    assert ids(samples(braces)) == ids(samples(urls))


def test_shards_of_an_object_store(corpus):
    """Whose address may have options, as that of the tests has."""
    with s3_corpus() as address:
        store = Store(address)
        table = pack(store, [write_video(store, n, num_queries=3) for n in range(2)], val_fraction=0.0)
        found = ids(samples(table["shard"].unique().to_pylist(), store=store))
        assert found == table["qa_id"].to_pylist()


@pytest.mark.slow
def test_secrets_of_an_address_are_not_in_messages():
    with pytest.raises(ShardError) as caught:
        list(samples("s3://key:hidden-secret@bucket/x.tar"))
    assert "hidden-secret" not in str(caught.value)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.tar")
    with pytest.raises(ShardError, match=r"x.tar: cannot be opened: .* is no plain file"):
        list(samples(str(tmp_path / "x.tar")))


def test_urls_that_are_no_shards(tmp_path):
    with pytest.raises(ConfigError, match="urls"):
        samples([])
    ran = tmp_path / "ran"
    for url in (f"pipe:touch {ran}", str(tmp_path / "absent.tar"), "http://127.0.0.1:9/x.tar"):
        with pytest.raises(ShardError, match="cannot be opened"):
            list(samples(url))
    assert not ran.exists()


class Exploit:
    def __reduce__(self):
        return (print, ("unpickled",))


def tar(*members: tuple[str, bytes], **info) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            for key, value in info.items():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def refused(tmp_path, data: bytes, match: str, **options) -> None:
    (tmp_path / "x.tar").write_bytes(data)
    with pytest.raises(ShardError, match=match) as caught:
        list(samples(str(tmp_path / "x.tar"), **options))
    assert str(tmp_path / "x.tar") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_unpickled(corpus, tmp_path, capsys):
    _, urls = corpus
    with tarfile.open(urls[0]) as archive:
        members = [(m.name, archive.extractfile(m).read()) for m in archive]
    key = members[0][0].partition(".")[0]
    extra = [(f"{key}.{suffix}", pickle.dumps(Exploit())) for suffix in ("pyd", "pickle", "pkl", "pth", "npy", "cls")]
    (tmp_path / "x.tar").write_bytes(tar(*members, *extra))
    assert ids(samples(str(tmp_path / "x.tar"))) == ids(samples(urls[0]))
    assert "unpickled" not in capsys.readouterr().out


def test_damage_is_named(corpus, tmp_path):
    data = Path(corpus[1][0]).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = {m.name: m for m in archive}
    tokens = next(m for name, m in members.items() if name.endswith("tokens.safetensors"))
    flipped = bytearray(data)
    flipped[tokens.offset_data + tokens.size - 1] ^= 1
    refused(tmp_path, bytes(flipped), "checksum")
    refused(tmp_path, data[: tokens.offset_data + 9], "cut short|unexpected end")
    refused(tmp_path, data[: tokens.offset], "cut short|unexpected end")  # a header is gone: no silent end
    flipped = bytearray(data)
    flipped[tokens.offset + 3] ^= 1
    refused(tmp_path, bytes(flipped), "damaged or cut short")
    refused(tmp_path, b"", "empty file")
    refused(tmp_path, b"x" * 5000, "cannot be read")


def test_sizes_are_checked_before_anything_is_read(corpus, tmp_path):
    data = Path(corpus[1][0]).read_bytes()
    refused(tmp_path, data, "are allowed", max_member_bytes=100)
    lie = tarfile.TarInfo("a.json")
    lie.size = 1 << 40
    refused(tmp_path, lie.tobuf(tarfile.PAX_FORMAT) + bytes(1024), "are allowed")
    header = tarfile.TarInfo("a.json")
    header.type, header.size = tarfile.XHDTYPE, 1 << 40
    refused(tmp_path, header.tobuf(tarfile.GNU_FORMAT) + bytes(1024), "header of")
    refused(tmp_path, tar(("a.json", b"{}"), ("a.json", b"{}")), "twice")
    refused(tmp_path, tar(("a.json", b""), type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no plain file")


def test_a_group_that_lacks_a_member_is_named(tmp_path):
    refused(tmp_path, tar(("a.json", b"{}")), "group a .*qa.json")
    deep = b"[" * 100_000
    refused(tmp_path, tar(("a.json", deep), ("a.qa.json", deep), ("a.tokens.safetensors", b"")), "group a")


@pytest.mark.parametrize("facts", [{"duration_s": float("nan")}, {"duration_s": -1}, {"video_id": ["v"]}])
def test_facts_that_cannot_be_those_of_a_video_are_refused(corpus, tmp_path, facts):
    with tarfile.open(corpus[1][0]) as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive}
    name = next(name for name in members if name.count(".") == 1)  # "<key>.json"
    wrong = {**members, name: json.dumps({**json.loads(members[name]), **facts}).encode()}
    refused(tmp_path, tar(*wrong.items()), "its facts have")


def test_groups_with_rows_that_are_not_there_are_refused(corpus, tmp_path):
    with tarfile.open(corpus[1][0]) as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive}
    name = next(name for name in members if name.endswith("tokens.safetensors"))
    tensors, metadata = decode_tensors(members[name])
    for key, value in (("query_keyframes", 999), ("keyframes", -5)):
        wrong = {**tensors, key: np.full_like(tensors[key], value)}
        chunks, _ = encode_tensors(wrong, tokens_metadata(metadata["qa_sha256"]))
        refused(tmp_path, tar(*{**members, name: b"".join(chunks)}.items()), f"{key} has values")
    wrong = {**tensors, "merged_tokens": tensors["merged_tokens"][:, :-1]}
    chunks, _ = encode_tensors(wrong, tokens_metadata(metadata["qa_sha256"]))
    refused(tmp_path, tar(*{**members, name: b"".join(chunks)}.items()), "merged_tokens has")


def test_any_damage_is_one_kind_of_error(corpus, tmp_path):
    data = Path(corpus[1][0]).read_bytes()
    whole = ids(samples(corpus[1][0]))
    for seed in range(150):
        (tmp_path / "x.tar").write_bytes(mutate(data, data[::-1], np.random.default_rng(seed)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = ids(samples(str(tmp_path / "x.tar")))
            except ShardError:
                continue
        assert set(found) <= set(whole)


def test_exports_are_imported_when_they_are_used():
    assert workers.shards.samples is samples
    with pytest.raises(AttributeError, match="nothing"):
        _ = workers.shards.nothing
