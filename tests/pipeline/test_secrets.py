"""No secret of a manifest gets into the corpus, the terminal, a log or a temporary folder."""

import json
from itertools import count

import pytest

from benchmarks._secrets import ANNOTATIONS, MARK, NUM_REJECTS, marked, search
from schemas.config import ConfigError
from tests.manifests import read_manifest

REFUSED = [
    *(
        {"uri": uri}
        for uri in (*ANNOTATIONS, " http://me:{}@h/v", "ftp://me:{}@h/v?{}", "//me:{}@h/v", "me:{}@h/v.mp4")
    ),
    *(
        {"uri": uri}
        for uri in ("http://me:{}@[h/v", "http://me:{}@ho st/v", "http://me:{}/{}@h/v?{}", "http:me:{}@h/v")
    ),
    *({"uri": "a", column: "https://me:{}@h/a?{}"} for column in ("split", "sha256", "events_file", "https://{}@h")),
    {"uri": "a", "subtitles": ["https://me:{}@h/a.vtt?{}"]},
    {"uri": ["http://me:{}@h/v"]},
]


@pytest.mark.ray
def test_no_marked_secret_is_found_after_a_build(tmp_path):
    built = search(tmp_path)
    assert built.exit_code == 0, built.said
    assert built.found == []
    assert built.planted > 40
    assert built.logs
    assert built.rejects == NUM_REJECTS


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_no_message_about_a_refused_row_tells_a_secret(tmp_path, row):
    (tmp_path / "m.jsonl").write_text(json.dumps(marked(row, count())))
    with pytest.raises(ConfigError, match="line 1") as refused:
        read_manifest(tmp_path / "m.jsonl")
    assert MARK not in str(refused.value)
