"""What a corpus keeps of addresses tells them apart and gives no secret away."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.build import build
from pipeline.inputs.addresses import allowed_location, annotation_stamp, as_written, fingerprint, resolve, source_stamp
from pipeline.plan import plan
from tests.pipeline.worlds import small_recipe
from workers.fetch.access import Access

# Refused, as it is private: nothing is asked.
ADDRESS = "http://me:password@127.0.0.1:9/v.mp4?v=1&token=SECRET"


def planned(corpus, manifest=None):
    (download,) = [p for p in plan(str(corpus), small_recipe(), manifest) if p.stage == "download"]
    return download.rejected, download.run


@pytest.mark.usefixtures("without_ray")
def test_a_corpus_holds_no_secret_and_still_knows_its_addresses(tmp_path):
    first, signed, other, corpus = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl", "corpus"))
    row = {"id": "v", "uri": ADDRESS, "subtitles": [f"s3://me:password@b/{n}.vtt?v=1&token=SECRET" for n in range(2)]}
    first.write_text(json.dumps(row))
    signed.write_text(json.dumps({**row, "uri": ADDRESS.replace("SECRET", "ANOTHER").replace("password", "new")}))
    other.write_text(json.dumps({**row, "uri": ADDRESS.replace("v=1", "v=2")}))
    build(str(first), str(corpus), small_recipe(), say=lambda line: None)
    (kept,) = pq.read_table(corpus / "manifest.parquet").to_pylist()
    assert kept["uri"].startswith("http://127.0.0.1:9/v.mp4#sha256=")
    assert kept["subtitles"][0].startswith("s3://b/0.vtt#sha256=")
    found = str(kept) + "".join(p.read_text(errors="replace") for p in corpus.rglob("*") if p.is_file())
    assert "SECRET" not in found
    assert "password" not in found
    assert planned(corpus) == planned(corpus, str(first)) == planned(corpus, str(signed)) == (1, 0)
    assert planned(corpus, str(other)) == (0, 1)


@given(address=st.text() | st.from_regex(r"[a-z0-9]{1,5}://[a-z:@?#/=\[\]]{0,12}", fullmatch=True))
def test_the_fingerprint_of_a_fingerprint_is_itself(address):
    once = fingerprint(address, ("sig",))
    assert fingerprint(once, ("sig",)) == once


def test_an_absolute_path_tells_no_folder_and_is_still_told_from_others():
    one, other = (fingerprint(path, ()) for path in ("/home/me/a.mp4", "/data/a.mp4"))
    assert one.startswith("a.mp4#sha256=")
    assert other.startswith("a.mp4#sha256=")
    assert one != other


@pytest.mark.parametrize("address", ["data/a?b#c@d.mp4", "https://h.org/v.mp4", "s3://b/v.mp4"])
def test_an_address_without_secrets_stays(address):
    assert fingerprint(address, ()) == address


@pytest.mark.parametrize(
    "address", ["a.mp4", "../a.mp4", "/d/a.mp4", "./s3:a.mp4", "file:///d/a%20b.mp4", "s3://b/k", "a\0b", " a"]
)
@pytest.mark.parametrize("folder", ["/m", "s3://b/m"])
def test_what_a_manifest_is_said_to_hold_leads_where_it_did(address, folder):
    assert resolve(as_written(address, folder), folder) == resolve(address, folder)


@pytest.mark.parametrize("address", [" /etc/passwd", "\t/etc/passwd", "../../../up.mp4", "a//b.mp4"])
def test_what_cannot_be_parsed_leads_to_nothing_that_can_be_opened(address):
    location = allowed_location(address, "s3://b/m", Access(local_files=True))
    assert location in (address, "s3://b/../up.mp4", "s3://b/m/a/b.mp4")


def test_a_location_outside_of_the_root_is_none_and_a_link_is_followed(tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"")
    (tmp_path / "in.mp4").symlink_to("v.mp4")
    (tmp_path / "out.mp4").symlink_to("/etc/hostname")
    access = Access(root=str(tmp_path))
    found = [allowed_location(name, str(tmp_path), access) for name in ("in.mp4", "out.mp4", "/etc/hostname", "../x")]
    assert found == [str(tmp_path / "v.mp4"), None, None, None]
    assert allowed_location("https://h/v", str(tmp_path), access) == "https://h/v"


IGNORED = ("sig",)


def stamp(uri, sha256=None, access=None, folder="/m"):
    return source_stamp(uri, sha256, folder, access or Access(), IGNORED)


def test_a_source_is_stamped_by_what_identifies_it(tmp_path):
    assert stamp("https://h/v?sig=1") == stamp("https://h/v?sig=2") == "https://h/v"
    assert stamp("https://h/v?v=1") != stamp("https://h/v?v=2")
    assert stamp("https://h/v", "ab") == stamp("s3://b/other", "ab") == ""
    (tmp_path / "v").write_bytes(b"123")
    assert stamp("v", folder=str(tmp_path)).startswith("v 3:")
    assert stamp("v", "ab", folder=str(tmp_path)) != ""
    assert stamp("v", folder="s3://b/m") == "v"
    (tmp_path / "link").symlink_to("/etc/passwd")
    for outside in ("link", "/etc/passwd", "none"):
        assert stamp(outside, folder=str(tmp_path), access=Access(root=str(tmp_path))).endswith(" absent")


def test_annotations_are_stamped_by_their_address_or_their_state(tmp_path):
    (tmp_path / "a.vtt").write_bytes(b"123")
    found = annotation_stamp(["a.vtt", "s3://b/a.vtt", "none"], str(tmp_path), Access(), ())
    assert found.split(" ")[0].startswith("3:")
    assert found.split(" ")[1:] == ["s3://b/a.vtt", "absent"]
