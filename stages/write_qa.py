"""Write QA: events -> question-answer pairs of the five LongVid tasks, audited, with the query embeddings. N:M.

Tasks after VideoChat-Flash (arXiv 2501.00574, section 4): captioning, temporal grounding, event relationship, scene
relationship, event counting. Plans are in `stages/qa/tasks`, a file per task; `stages/qa/solver.py` audits them and
`stages/qa/realize` gives them words.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from schemas.config import Resources, StageConfig, TowerConfig
from schemas.stage import Stage
from schemas.tables import QA
from stages.qa.config import WritingConfig
from stages.qa.writing import write_pairs
from workers.query_embedder import QueryEmbedder, tower_weights
from workers.storage import Store

READS = pa.schema([("video_id", pa.string()), ("duration_s", pa.float64()), ("annotate_unit", pa.string())])


class WriteQaConfig(WritingConfig, StageConfig):
    """How pairs are written, and the towers whose text side embeds them. `pipeline/recipe.py` fills in the towers."""

    select_tower: TowerConfig = TowerConfig()
    """`embed.tower`: what frames are selected by."""
    merge_tower: TowerConfig = TowerConfig()
    """`distill.tower`: what patches are merged by."""
    # One thread embeds some 30 short texts a video; the memory is that of two text towers.
    resources: Resources = Resources(cpus=1.0, memory_mb=4000, workers=(1, 4))

    def semantic(self) -> dict[str, Any]:
        weights = [tower_weights(self.select_tower), tower_weights(self.merge_tower)]
        return {**super().semantic(), "weights": weights}


class Worker:
    """Writes a video's pairs. The towers are loaded with the first pair, so a video without events costs nothing."""

    def __init__(self, config: WriteQaConfig, store: Store) -> None:
        self._config, self._store = config, store

    def __call__(self, unit: dict[str, Any]) -> Iterator[pa.Table]:
        """One table of QA, in the order of the tasks; no rows for a video of which nothing is known."""
        [annotation] = self._store.read_table(unit["annotate_unit"], ["events"]).to_pylist()
        pairs = write_pairs(annotation["events"], unit["duration_s"], self._config, unit["video_id"])
        queries = [pair.pop("queries") for pair in pairs]
        table = pa.Table.from_pylist(
            pairs, pa.schema([f for f in QA if f.name not in ("select_queries", "merge_query")])
        )
        flat = list(dict.fromkeys(query for asked in queries for query in asked))
        select = dict(zip(flat, self._embed(self._config.select_tower, flat), strict=True))
        merge = self._embed(self._config.merge_tower, ["; ".join(asked) for asked in queries])
        columns = {
            "select_queries": [[select[query] for query in asked] for asked in queries],
            "merge_query": merge,
        }
        for name, values in columns.items():
            table = table.append_column(name, pa.array(values, QA.field(name).type))
        yield table.select(QA.names)

    def _embed(self, tower: TowerConfig, texts: Sequence[str]) -> list[Any]:
        return list(QueryEmbedder(tower)(texts)) if texts else []


def stage(config: WriteQaConfig) -> Stage:
    """The declaration."""
    return Stage(name="write_qa", reads=READS, writes=QA, run=Worker, config=config, passes="path", version=2)
