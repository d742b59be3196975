"""What a rank makes of its errors, without Ray; `test_driver.py` sees that they end a run on Ray."""

from dataclasses import replace

import pytest
import torch

from pipeline.training.config import TrainConfig
from pipeline.training.messages import Failed
from pipeline.training.rank import _failed, _train
from tests.tiny_samples import TINY
from tests.workers.shards.shard_units import pack, write_video
from workers.storage.store import Store

CONFIG = TrainConfig(model=TINY, workers=1, steps=8, batch_size=4, checkpoint_every=4, heldout_samples=0)


class Inbox:
    """The driver's queue, as a list."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def put(self, row: dict) -> None:
        self.rows.append(row)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Store:
    store = Store(tmp_path_factory.mktemp("corpus"))
    pack(store, [write_video(store, number) for number in range(2)], val_fraction=0.0)
    return store


@pytest.fixture(autouse=True)
def outside_of_ray(monkeypatch):
    monkeypatch.setattr("pipeline.training.rank.get_device", lambda: torch.device("cpu"))


def failure(corpus: Store, **settings) -> tuple[Failed, list[int]]:
    """What a rank tells the driver, and the steps that were done before."""
    inbox = Inbox()
    with pytest.raises((ValueError, FloatingPointError)) as raised:
        _train(CONFIG.model_copy(update=settings), {"store": corpus, "inbox": inbox, "key": b""}, 0, 1)
    return _failed(raised.value), [row["step"] for row in inbox.rows]


def test_loss_that_diverges_is_told_with_the_remedy(corpus):
    told, steps = failure(corpus, learning_rate=1e30)
    assert told.message.startswith("step 2: the loss is ")
    assert "Lower learning_rate = 1e+30" in told.message and "under another name of the run" in told.message
    assert (told.traceback, steps) == ("", [1])


def test_setting_that_is_found_wrong_with_the_samples_is_told_with_the_remedy(corpus):
    told, steps = failure(corpus, model=replace(TINY, max_text_tokens=3))
    assert "no target to learn from" in told.message
    assert "Raise train.model.max_text_tokens = 3" in told.message
    assert (told.traceback, steps) == ("", [])


@pytest.mark.parametrize(
    ("error", "message", "is_told_where"),
    [
        (MemoryError("a lot"), "out of memory: a lot. Lower train.micro_batch_size", False),
        (OSError("the disk\nis full"), "the disk is full", False),
        (KeyError("value"), "KeyError: 'value'", True),
    ],
    ids=["memory", "disk", "code"],
)
def test_only_a_fault_of_the_code_has_a_traceback(error, message, is_told_where):
    told = _failed(error)
    assert told.message.startswith(message)
    assert bool(told.traceback) == is_told_where
