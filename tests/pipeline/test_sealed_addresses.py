"""What a corpus keeps of addresses tells them apart and gives no secret away."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.build import build
from pipeline.plan import plan
from pipeline.sealed_addresses import sealed
from tests.pipeline.worlds import small_recipe

# Refused, as it is private: nothing is asked.
ADDRESS = "http://me:password@127.0.0.1:9/v.mp4?token=SECRET"


def planned(corpus, manifest=None):
    (download,) = [p for p in plan(str(corpus), small_recipe(), manifest) if p.stage == "download"]
    return download.rejected, download.run


@pytest.mark.usefixtures("ray_session")
def test_a_corpus_holds_no_secret_and_still_knows_its_addresses(tmp_path):
    first, other, corpus = tmp_path / "first.jsonl", tmp_path / "other.jsonl", tmp_path / "corpus"
    row = {"id": "v", "uri": ADDRESS, "subtitles": [f"s3://me:password@b/{n}.vtt?token=SECRET" for n in range(2)]}
    first.write_text(json.dumps(row))
    other.write_text(json.dumps({**row, "uri": ADDRESS.replace("SECRET", "ANOTHER")}))
    build(str(first), str(corpus), small_recipe(), say=lambda line: None)
    (kept,) = pq.read_table(corpus / "manifest.parquet").to_pylist()
    assert kept["uri"].startswith("http://127.0.0.1:9/v.mp4#sha256=")
    assert kept["subtitles"][0].startswith("s3://b/0.vtt#sha256=")
    found = str(kept) + "".join(p.read_text(errors="replace") for p in corpus.rglob("*") if p.is_file())
    assert "SECRET" not in found
    assert "password" not in found
    assert planned(corpus) == planned(corpus, str(first)) == (1, 0)
    assert planned(corpus, str(other)) == (0, 1)


@given(address=st.text() | st.from_regex(r"[a-z0-9]{1,5}://[a-z:@?#/=\[\]]{0,12}", fullmatch=True))
def test_sealed_twice_is_sealed_once(address):
    try:
        once = sealed({"uri": address})
    except ValueError:  # such an address comes into no manifest
        return
    assert sealed(once) == once


def test_an_absolute_path_tells_no_folder_and_is_still_told_from_others():
    one, other = (sealed({"uri": path})["uri"] for path in ("/home/me/a.mp4", "/data/a.mp4"))
    assert one.startswith("a.mp4#sha256=")
    assert other.startswith("a.mp4#sha256=")
    assert one != other


@pytest.mark.parametrize("address", ["data/a?b#c@d.mp4", "https://h.org/v.mp4", "s3://b/v.mp4"])
def test_an_address_without_secrets_stays(address):
    assert sealed({"uri": address, "subtitles": [address], "events_file": None}) == {
        "uri": address,
        "subtitles": [address],
        "events_file": None,
    }
