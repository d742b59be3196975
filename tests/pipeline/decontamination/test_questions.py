"""Questions of benchmarks that a corpus asks in other words, by a real sentence encoder."""

import json

import pytest

from pipeline.decontaminate import decontaminate
from pipeline.inputs.recipe import load_recipe
from pipeline.tables.corpus_file import CORPUS, describe
from schemas.tables import FORMAT_VERSION
from tests.pipeline.published_tables import pair, video, write_corpus
from tests.sentence_encoder import ENCODER

BENCHMARK = [
    ("How did the cartoon jellyfish leave the mire that it had fallen into?", ["by the shrimp", "by the turtle"]),
    ("What year appears in the opening caption of the video?", ["1636", "1366", "1363", "1633"]),
    ("What is the first thing that happens after the cook peels potatoes?", ["he sings", "he rests"]),
]
ASKED = [
    (
        "In what way does the animated jellyfish get out of the swamp it fell in?",
        ["by the turtle", "by the shrimp"],
        True,
    ),
    ("Which year is shown in the first caption at the start?", ["1366", "1636", "1633", "1363"], True),
    ('What happens right after the following event: "the cook peels carrots"?', ["he eats", "he leaves"], False),
    ('What happens right after the following event: "the man opens the door"?', ["he sings", "he rests"], False),
    ("What colour is the hat of the boy who climbs the ladder?", ["red", "blue"], False),
]


@pytest.mark.slow
def test_questions_in_other_words_are_found_and_templates_are_not(tmp_path):
    pairs = [pair("v", n, question=question, options=options) for n, (question, options, _) in enumerate(ASKED)]
    store = write_corpus(tmp_path / "corpus", [video("v")], pairs)
    rows = [
        {"video": "abcdefgh", "question": q, "candidates": options, "answer": options[0]} for q, options in BENCHMARK
    ]
    (tmp_path / "benchmark.json").write_text(json.dumps(rows))
    said: list[str] = []
    assert decontaminate(store.root, [str(tmp_path / "benchmark.json")], say=said.append) == []
    assert [
        line for line in said if "give a sentence encoder by --recipe NAME --set write_qa.text_model=FOLDER" in line
    ]
    encoder = load_recipe("demo", [f"write_qa.text_model={ENCODER}"])
    found = {row["qa_id"] for row in decontaminate(store.root, [str(tmp_path / "benchmark.json")], recipe=encoder)}
    assert found == {f"v-{n}" for n, (_, _, is_found) in enumerate(ASKED) if is_found}, "of a published corpus"
    moved = load_recipe("demo").model_dump(mode="json")
    moved["write_qa"]["text_model"] = str(tmp_path / "elsewhere")
    store.write_json(CORPUS, {"format_version": FORMAT_VERSION, "recipe": moved, "versions": {}})
    said.clear()
    assert decontaminate(store.root, [str(tmp_path / "benchmark.json")], say=said.append) == []
    assert [line for line in said if "write_qa.text_model" in line and "there is no config.json" in line]
    describe(store, encoder)
    found = {row["qa_id"]: row["found_by"] for row in decontaminate(store.root, [str(tmp_path / "benchmark.json")])}
    assert found == {f"v-{n}": "paraphrase" for n, (_, _, is_found) in enumerate(ASKED) if is_found}
