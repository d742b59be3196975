"""Excerpts of published annotation files: each is found to be of its form, and none of its events is lost unseen."""

import json
from collections import Counter
from pathlib import Path

import pytest

from stages.annotations.formats.read import FormatReader
from stages.annotations.text import AnnotationError
from tests.conftest import SHARED

FOLDER = SHARED / "annotations"
FACTS = FOLDER / "facts.jsonl"
FILES = [json.loads(line) for line in FACTS.read_text().splitlines()] if FACTS.is_file() else []
FORMATS = {
    "01_": "activitynet", "02_youcook2/milnce": "clip_list", "02_youcook2/pdvc": "activitynet", "02_": "youcook2",
    "03_howto100m/small": "ids", "03_": "howto100m", "04_steps/coin": "coin", "04_steps/crosstask": "ids",
    "04_steps/htstep/video": "ids", "04_": "htstep", "05_ego4d/goalstep_valid": "goalstep", "05_": "ids",
    "06_clip_captions/hd": "hdvila", "06_clip_captions/panda": "panda70m", "06_": "webvid",
    "07_llava/internvideo": "llava",
    "08_asr_subs/youtube": "youtube_", "09_": "chapters", "10_grounding/cha": "charades", "10_grounding/did": "didemo",
    "10_grounding/qv": "qvhighlights", "10_grounding/tacos": "activitynet",
    "10_grounding/timechat_bsd3/vhd": "qvhighlights",
    "10_": "timechat", "11_benchmarks_eval_only/charades": "clip_list", "11_": "questions",
}  # fmt: skip
PREDICTIONS = ("example_pred_60.json", "example_pred_300.json", "example_predictions_val_seen_300.csv")
NO_EVENTS = ("diy_ft_data.json", ".yaml", "map_vid_vidorID_excerpt.json", "subset_answers.json", ".scc")
pytestmark = pytest.mark.skipif(not FILES, reason=f"the annotation files are not here: {FOLDER}")


def entries(path: Path, format_name: str = ""):
    reader = FormatReader(path.name, format_name)
    with path.open("rb") as stream:
        found = list(reader.entries(stream))
    assert reader.format is not None
    return reader.format.name, found


@pytest.mark.parametrize("facts", [f for f in FILES if not f["path"].startswith("08_asr")], ids=lambda f: f["path"])
def test_events_of_a_published_file_are_read_or_counted(facts):
    path = FOLDER / facts["path"]
    if not path.is_file():
        pytest.skip("not among the files here")
    if path.name.endswith(NO_EVENTS):
        with pytest.raises(AnnotationError, match="known form|lists annotation files"):
            entries(path)
        return
    form = next(form for start, form in FORMATS.items() if facts["path"].startswith(start))
    if is_prediction := path.name.endswith(PREDICTIONS):
        with pytest.raises(AnnotationError, match="predictions of a model"):
            entries(path)
    name, found = entries(path, form if is_prediction else "")
    assert name.startswith(form)
    dropped = sum((Counter(entry.dropped) for entry in found), Counter())
    rows = sum(len(entry.rows) for entry in found)
    told = rows + sum(len(entry.conversations) for entry in found) + sum(len(entry.labels) for entry in found)
    if name == "questions":
        assert told + sum(dropped.values()) == facts["rows"]
    elif facts["spans"] and name != "ids":
        # A goal is an event besides its steps; a query without a window is a row without a span.
        goals = facts["videos"] if name == "goalstep" else 0
        assert rows + sum(dropped.values()) - dropped["no_time"] == facts["spans"] + goals
    else:
        assert told + sum(dropped.values()) or name == "ids"
