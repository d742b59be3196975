"""filter_qa: removes the QA pairs that `audit_qa` dropped from a video's pairs. 1:1; runs only for videos with such."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from schemas.config import StageConfig
from schemas.stage import Stage
from schemas.tables.qa import QA
from workers.storage.store import Store

READS = pa.schema([("video_id", pa.string()), ("write_qa_unit", pa.string()), ("dropped", pa.list_(pa.string()))])


def run(unit: dict[str, Any], config: StageConfig, store: Store) -> Iterator[pa.Table]:
    """Yields the rows of QA that are not `dropped`, in the same order."""
    pairs = store.read_table(unit["write_qa_unit"])
    import pyarrow.compute as pc  # costs more to import than a command that only looks at a corpus has to spare

    yield pairs.filter(pc.invert(pc.is_in(pairs["qa_id"], pa.array(unit["dropped"], pa.string()))))


def stage(config: StageConfig) -> Stage:
    """Declares the stage, which needs nothing of the config of audit_qa."""
    return Stage(
        name="filter_qa", section="audit_qa", reads=READS, writes=QA, run=run, config=StageConfig(), emits="unit"
    )
