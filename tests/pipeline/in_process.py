"""Builds within the process of the test, one unit after the other: for tests of what a build writes.

Ray starts a process for each kind of worker, and each imports torch: thirty times the processor time, for the same
bytes (`test_build.py` compares them). How Ray runs and loses workers is tested where that is the matter.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import reduce
from itertools import chain as joined
from typing import Any

import pyarrow as pa
import pytest

from pipeline.engine.chain import chain
from pipeline.engine.committed import Committed
from pipeline.engine.compose import _batches
from pipeline.engine.crash_counter import CrashCounter
from pipeline.engine.unit_runner import OUTCOMES, UnitRunner
from schemas.stage import Stage
from workers.storage.store import Store


@contextmanager
def in_process() -> Iterator[None]:
    """Within it, `build` and `longvid build` start no Ray session and no workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.engine.cluster.ray_session", lambda **_: nullcontext())
        patch.setattr("pipeline.engine.forked_workers.fork_server_of_new", nullcontext)
        patch.setattr("pipeline.engine.compose.run_chain", run_chain)
        yield


def run_chain(
    rows: Iterator[pa.Table],
    inputs: pa.Schema,
    stages: Sequence[Stage],
    store: Store,
    *,
    passthrough: Sequence[str],
    crashes: CrashCounter,
    **_: Any,
) -> Iterator[pa.Table]:
    """As the function of this name in `pipeline.engine.compose`; a worker that cannot start raises its own error."""
    schemas = [schema.append(OUTCOMES) for schema in chain(inputs, stages, passthrough)]
    runners = [
        UnitRunner(Committed(stage, store, schema), crashes) for stage, schema in zip(stages, schemas[1:], strict=True)
    ]
    for batch in _batches(rows, schemas[0]):
        for i in range(batch.num_rows):
            yield from reduce(_through, runners, iter([batch.slice(i, 1)]))


def _through(tables: Iterator[pa.Table], runner: UnitRunner) -> Iterator[pa.Table]:
    return joined.from_iterable(map(runner, tables))
