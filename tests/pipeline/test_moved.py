"""A corpus and its videos may move together, and a corpus tells nothing of the folders it was built in."""

import os
import shutil

import pytest

from pipeline.build import build
from pipeline.plan import plan
from pipeline.retry import retry
from pipeline.verify import verify
from tests.pipeline.worlds import contents, small_recipe


@pytest.fixture(scope="module")
def moved(tmp_path_factory, small_corpus):
    """Manifest and corpus, in another folder than they were built in; and the folder they were built in."""
    first, second = small_corpus.corpus.parent, tmp_path_factory.mktemp("second")
    for name in ("world", "corpus"):
        shutil.copytree(first / name, second / name)
    return second / "world" / "manifest.jsonl", second / "corpus", first


def to_run(*arguments) -> set[str]:
    return {p.stage for p in plan(*arguments) if p.run or p.later}


def test_no_file_tells_where_it_was_built(moved):
    _, corpus, built_in = moved
    told = [name for name in contents(corpus) if str(built_in).encode() in (corpus / name).read_bytes()]
    assert told == []


def test_a_plan_has_nothing_to_run(moved):
    manifest, corpus, _ = moved
    assert to_run(str(corpus), small_recipe()) == to_run(str(corpus), small_recipe(), manifest) == set()


def test_media_in_place_are_read_where_the_given_manifest_says_and_else_not_at_all(moved):
    manifest, corpus, _ = moved
    without, given = verify(str(corpus)), verify(str(corpus), manifest)
    assert (without.media, without.unread_media, without.problems) == (0, 2, [])
    assert (given.media, given.unread_media, given.problems) == (2, 0, [])
    video = next(manifest.parent.glob("demo-*.mp4"))
    whole = video.read_bytes()
    facts = video.stat()
    try:
        video.write_bytes(whole + b"more")
        assert verify(str(corpus)).problems == []
        assert any("has changed" in problem for problem in verify(str(corpus), manifest).problems)
        video.unlink()
        assert any("is gone" in problem for problem in verify(str(corpus), manifest).problems)
    finally:
        video.write_bytes(whole)
        os.utime(video, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_a_retry_and_a_build_go_on(moved, without_ray):
    manifest, corpus, _ = moved
    before = contents(corpus)
    assert retry(str(corpus), where="stage = 'download'") == 1
    summary = build(manifest, str(corpus), small_recipe(), say=lambda _: None)
    assert (sum(summary.ran.values()), summary.failures) == (0, [])
    changed = {name for name, digest in contents(corpus).items() if before.get(name) != digest}
    assert {name.rpartition("/")[0].split("/")[0] for name in changed} <= {"units", "tables"}  # the attempt counted
