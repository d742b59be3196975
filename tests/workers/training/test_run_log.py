import json
import math

import pytest

from schemas.config import ConfigError
from workers.storage.store import Store
from workers.training.run_log import read_log, write_log

STEP = {"step": 1, "loss": 2.5, "seconds": 0.5}


def test_log_holds_null_for_what_is_no_number(tmp_path):
    store = Store(tmp_path)
    rows = [{**STEP, "left_out": {"a": "why"}}, {**STEP, "heldout_loss": math.inf, "grad_norm": math.nan}]
    write_log(store, "run", rows)
    assert b"NaN" not in store.read_bytes("run/log.jsonl") and b"Infinity" not in store.read_bytes("run/log.jsonl")
    assert read_log(store, "run") == [rows[0], {**STEP, "heldout_loss": None, "grad_norm": None}]


def test_log_comes_back(tmp_path):
    store = Store(tmp_path)
    assert read_log(store, "run") == []
    rows = [{**STEP, "loss": 1 / 3}, {**STEP, "step": 2, "loss": 0.1}]
    write_log(store, "run", rows)
    assert read_log(store, "run") == rows


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"[]",
        b"{}",
        b"\xff",
        b'{"step": 1, "loss": 1.0}',
        *(
            json.dumps({**STEP, **damage}).encode()
            for damage in (
                {"step": "1"},
                {"step": 10**400},
                {"loss": []},
                {"loss": math.nan},
                {"seconds": None},
                {"questions_cut": "1"},
                {"heldout_loss": "2.5"},
                {"left_out": [["a", "why"]]},
                {"heldout_left_out": {"a": 1}},
            )
        ),
    ],
)
def test_line_that_is_not_of_a_log_is_named(line, tmp_path):
    store = Store(tmp_path)
    store.write_bytes("run/log.jsonl", json.dumps(STEP).encode() + b"\n" + line + b"\n")
    with pytest.raises(ConfigError, match=r"run/log.jsonl, line 2: not of a run's log"):
        read_log(store, "run")
