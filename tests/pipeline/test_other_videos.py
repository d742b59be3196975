"""Events of one video of a corpus are asked for in another one, in which they do not happen."""

import json
import shutil

import pytest

from pipeline.build import build
from pipeline.plan import plan
from pipeline.tables.catalog import open_catalog
from tests.pipeline.worlds import small_recipe

pytestmark = pytest.mark.slow

SUBJECTS = (
    ["A surgeon stitches a deep wound", "The nurse bandages an injured elbow", "A patient swallows bitter medicine"],
    ["The sailor hoists a canvas sail", "A gull steals the captain's sandwich", "Waves flood the wooden deck"],
)


@pytest.mark.usefixtures("without_ray")
def test_events_of_another_video_are_pairs_of_a_corpus(small_corpus, tmp_path):
    corpus, manifest = tmp_path / "corpus", small_corpus.manifest.with_name("subjects.jsonl")
    shutil.copytree(small_corpus.corpus, corpus)
    first, second, _ = (json.loads(line) for line in small_corpus.manifest.read_text().splitlines())
    for row, texts in zip((first, second), SUBJECTS, strict=True):
        row["split"] = "train"
        row["events"] = [{"start_s": 20 * i, "end_s": 20 * i + 19, "text": text} for i, text in enumerate(texts)]
    recipe = small_recipe("write_qa.absent_share=0.2")

    def asked(*rows):
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        build(manifest, str(corpus), recipe, say=lambda line: None, allow_removal=True)
        assert not any(entry.run or entry.later for entry in plan(str(corpus), recipe, manifest))
        with open_catalog(str(corpus)) as catalog:
            return catalog.sql("""
                select distinct q.video_id <> other_video_id, e.video_id = other_video_id, q.flags
                from qa q join events e on list_contains(event_ids, event_id) where form = 'absent' and dropped is null
            """).fetchall()

    assert asked(first, second) == [(True, True, ["other_video"])]
    assert asked(first, {**second, "split": "test"}) == []
    assert asked(first) == []
    manifest.unlink()
