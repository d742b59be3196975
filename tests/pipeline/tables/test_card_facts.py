"""The numbers of a data card are those of the tables, also of corpora from before some columns."""

from pipeline.tables.card_facts import Facts
from pipeline.tables.catalog import open_catalog
from tests.pipeline.published_tables import pair, video, write_corpus

ANNOTATED = {"source": "events_file", "file": "a", "format": "coin", "licence": "MIT", "prompt": None, "rows": [1]}
SAID = {**ANNOTATED, "source": "whisper-9", "format": "transcribe", "licence": None}


def facts(folder, qa_columns: set[str], sample_columns: set[str]) -> Facts:
    pairs = [
        pair("a", 1, annotations=[ANNOTATED], realizer="templates", realizer_version=7, models=[], dropped=None),
        pair("a", 2, annotations=[ANNOTATED, SAID], models=["whisper-9"], dropped="guessable"),
        pair("b", 3, annotations=[], models=[], dropped=None),
    ]
    write_corpus(folder, [video("a"), video("b", licence=None)], pairs)
    with open_catalog(str(folder)) as catalog:
        return Facts(catalog, qa_columns, sample_columns)


def test_licences_models_and_what_was_left_out_are_counted(tmp_path):
    found = facts(tmp_path, {"annotations", "form", "dropped"}, set())
    assert (found.pairs, found.videos, found.shards) == (3, 2, 1)
    assert found.annotations == [("MIT", "coin", 1, 2), (None, None, 1, 1)]
    assert found.annotation_licences == ["MIT", None] and set(found.video_licences) == {"CC0-1.0", None}
    assert found.models == [("whisper-9", 1)] and found.realizers == [("templates", 7, 1)]
    assert found.dropped == [("guessable", 1)] and found.languages == ["en"]


def test_a_corpus_without_these_columns_has_no_licence_of_annotations(tmp_path):
    found = facts(tmp_path, {"task"}, set())
    assert found.annotations == [(None, None, 2, 3)]
    assert found.models == found.realizers == found.share_alike == found.languages == found.dropped == []
    assert found.forms == [("event_relationship", "event_relationship", 3)]
