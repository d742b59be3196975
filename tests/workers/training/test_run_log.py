import math

import pytest

from schemas.config import ConfigError
from workers.storage.store import Store
from workers.training.run_log import read_log, write_log


def test_log_holds_null_for_what_is_no_number(tmp_path):
    store = Store(tmp_path)
    rows = [{"step": 1, "loss": 2.5, "left_out": {"a": "why"}}, {"step": 2, "loss": math.nan, "heldout_loss": math.inf}]
    write_log(store, "run", rows)
    assert b"NaN" not in store.read_bytes("run/log.jsonl") and b"Infinity" not in store.read_bytes("run/log.jsonl")
    assert read_log(store, "run") == [rows[0], {"step": 2, "loss": None, "heldout_loss": None}]


def test_log_comes_back(tmp_path):
    store = Store(tmp_path)
    assert read_log(store, "run") == []
    rows = [{"step": 1, "loss": 1 / 3}, {"step": 2, "loss": 0.1}]
    write_log(store, "run", rows)
    assert read_log(store, "run") == rows


@pytest.mark.parametrize(
    "line", [b"no JSON", b"[]", b"{}", b'{"step": "1", "loss": 1.0}', b'{"step": 1, "loss": []}', b"\xff"]
)
def test_line_that_is_not_of_a_log_is_named(line, tmp_path):
    store = Store(tmp_path)
    store.write_bytes("run/log.jsonl", b'{"step": 1, "loss": 0.5}\n' + line + b"\n")
    with pytest.raises(ConfigError, match=r"run/log.jsonl, line 2: not of a run's log"):
        read_log(store, "run")
