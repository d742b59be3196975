"""Annotation files read in the sandbox."""

import json

import pytest

from stages.annotations.formats.task import read_in_sandbox
from stages.annotations.text import AnnotationError
from tests.stages.annotations.formats.examples import CASES, lines
from workers.sandbox.limits import SandboxLimits


@pytest.mark.parametrize("form", ["ActivityNet", "Panda-70M", "json3", "LLaVA", "CrossTask's tasks"])
def test_entries_come_through_the_sandbox_as_they_are(form, tmp_path):
    case = CASES[form]
    path = tmp_path / case.name
    path.write_bytes(case.data)
    [(name, entries)] = read_in_sandbox(path)
    assert (name, [entry._replace(record=0) for entry in entries]) == (case.format, case.entries)
    assert entries[0].record == 1


def test_a_large_file_comes_in_parts(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(lines(*({"video": f"v{n}", "start": 0, "end": 1, "text": "a" * 1000} for n in range(3000))))
    parts = list(read_in_sandbox(path))
    assert len(parts) > 2 and sum(len(entries) for _, entries in parts) == 3000


def test_turns_with_more_fields_come_through(tmp_path):
    path = tmp_path / "a.json"
    turns = '[{"from": "human", "value": "Who?", "weight": 3}, {"from": "gpt", "value": "He.", "ok": null}]'
    path.write_text('[{"video": "a.mp4", "conversations": ' + turns + "}]")
    [(_, [entry])] = list(read_in_sandbox(path))
    assert entry.conversations == [json.loads(turns)]


def test_half_characters_are_replaced(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"video": "a\\ud800", "question": "\\udc00?", "answer": "a\\ud800b"}]')
    [(_, [entry])] = list(read_in_sandbox(path))
    assert (entry.video, entry.conversations[0][1]["value"]) == ("a?", "a?b")


def test_what_cannot_be_read_is_one_error(tmp_path):
    with pytest.raises(AnnotationError, match="No such file"):
        list(read_in_sandbox(tmp_path / "none.json"))
    path = tmp_path / "a.json"
    path.write_text("[1")
    with pytest.raises(AnnotationError, match="bad JSON at column 3"):
        list(read_in_sandbox(path))
    path.write_text("[1" + ",[[]]" * 6_000_000 + "]")
    with pytest.raises(AnnotationError, match="cannot be read in the sandbox: memory"):
        list(read_in_sandbox(path, limits=SandboxLimits(memory_mb=256)))
