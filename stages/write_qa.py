"""Write QA: events -> question-answer pairs of the five LongVid tasks, audited, with the query embeddings. N:M.

Tasks after VideoChat-Flash (arXiv 2501.00574, section 4): captioning, temporal grounding, event relationship, scene
relationship, event counting. Plans are in `stages/qa/tasks`, a file per task; `stages/qa/solver.py` audits them and
`stages/qa/realize` gives them words.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, ValidationInfo, field_validator

from schemas.config import Resources, StageConfig, TowerConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables.qa import DROPPED_KEY, QA
from stages.prompts import prompt_hash
from stages.qa.config import WritingConfig
from stages.qa.dropped import dropped_rows
from stages.qa.known import Known, read_known
from stages.qa.paraphrases import paraphrases
from workers.endpoint.config import EndpointConfig
from workers.sandbox.client import sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits
from workers.storage.store import Store
from workers.towers.query_embedder import QueryEmbedder, tower_weights
from workers.towers.text_encoder import CLIP, encoder_folder, encoder_weights, load_encoder

READS = pa.schema([("video_id", pa.string()), ("duration_s", pa.float64()), ("annotate_unit", pa.string())])
CUT_READS = pa.schema([("find_shots_unit", pa.string())])  # null: its cuts could not be found
# Of videos of the same split, whose events it is asked for where they do not happen; null: there is none.
OTHER_READS = pa.schema([("other_annotate_units", pa.list_(pa.string()))])


# Of what is asked and of its words; the column `realizer_version`.
VERSION = 41

# Tasks that are not asked where segments could not be annotated: what happens there would be missing from the answer.
_OF_THE_WHOLE = ("captioning", "event_counting")


class WritingLimits(SandboxLimits):
    """Limits what writing the pairs of one video may take."""

    memory_mb: int = Field(2048, ge=256)
    """Memory of the process that writes them."""
    cpu_s: float = Field(300.0, gt=0)
    """CPU seconds. An hour of video with an event every few seconds takes about one."""


class WriteQaConfig(WritingConfig, StageConfig):
    """Sets how pairs are written, and the towers whose text side embeds them. The recipe fills in the towers."""

    not_content = ("limits", "realizer")

    select_tower: TowerConfig = TowerConfig()
    """`embed.tower`: what frames are selected by."""
    merge_tower: TowerConfig = TowerConfig()
    """`distill.tower`: what patches are merged by."""
    snap_to_cuts_s: float = Field(0.0, ge=0, le=10)
    """Starts and ends of visual events are moved to the nearest cut (`find_shots`) if it is at most so many seconds
    away: in edited films, what is seen mostly changes at a cut, and annotators are off by a second or two. The table
    `events` keeps the annotated times. 0: never, and no pair depends on `find_shots`."""
    realizer: Literal["templates", "llm"] = "templates"
    """Who words the questions: `templates`, or `llm`, the model behind `annotate.endpoint`, which rewords them; where
    that does not ask for exactly the same, the templates' wording stays. Only `llm` asks about events in languages
    other than `languages`."""
    endpoint: EndpointConfig = Field(EndpointConfig(), exclude=True)
    """`annotate.endpoint`."""
    limits: WritingLimits = WritingLimits()
    """Of the sandbox process that writes the pairs of a video."""
    # One thread embeds some 30 short texts per video; the memory is that of two text towers.
    resources: Resources = Resources(cpus=1.0, memory_mb=4000, workers=(1, 4))

    @field_validator("text_model")
    @classmethod
    def _check_text_model(cls, name: str, info: ValidationInfo) -> str:
        is_recorded = info.context is not None and info.context.get("is_recorded")
        if name not in ("", CLIP) and not is_recorded:
            encoder_folder(name)
        return name

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on, with digests of the towers' local weights."""
        weights = [tower_weights(self.select_tower), tower_weights(self.merge_tower)]
        content = super().semantic()
        if self.text_model not in ("", CLIP):
            content["text_model"] = encoder_weights(self.text_model) or self.text_model  # a folder that is not here
        if self.realizer == "llm":
            content["llm"] = [self.endpoint.content(), prompt_hash("rewrite")]
        return {**content, "weights": weights}

    def expected_cost(self) -> dict[str, float]:
        """Returns the expected cost of a video: one call per pair with `realizer=llm`, else nothing."""
        if self.realizer == "templates":
            return {}
        pairs = self.max_pairs / 2
        return {"calls": pairs, "tokens_in": pairs * 500, "tokens_out": pairs * 40}


class Worker:
    """Writes a video's pairs. The towers are loaded with the first pair, so a video without events costs nothing."""

    def __init__(self, config: WriteQaConfig, store: Store) -> None:
        self._config, self._store = config, store

    def __call__(self, unit: dict[str, Any]) -> Iterator[pa.Table]:
        """One table of QA, in the order of the tasks; no rows for a video of which nothing is known.

        What was left out is in the metadata of its schema: rows of DROPPED as JSON.
        """
        known = read_known(unit, self._store, self._config.snap_to_cuts_s)
        written, counts = self._write(known, unit["duration_s"], unit["video_id"])
        pairs = self._reword(written)
        counts["not_reworded"] = len(written) - len(pairs)
        dropped = dropped_rows(unit["video_id"], counts, known.left_out)
        queries = [pair.pop("queries") for pair in pairs]
        pairs = [{**pair, "realizer_version": pair["realizer"] and VERSION} for pair in pairs]
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
        yield table.select(QA.names).replace_schema_metadata({DROPPED_KEY: json.dumps(dropped)})

    def _write(self, known: Known, duration_s: float, video_id: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """The pairs, and how many events and pairs were left out by reason."""
        if not known.events:
            return [], {}
        config, limits = self._config, self._config.limits
        told = config.model_dump(mode="json", include=set(WritingConfig.model_fields))
        if config.realizer == "llm":
            told["languages"] = []
        if not known.is_whole:
            told["tasks"] = [task for task in config.tasks if task not in _OF_THE_WHOLE]
        box = sandbox("stages.qa.sandbox_tasks", limits)
        box.start()
        # Both take seconds: what embeds the questions is imported while the sandbox reads its dictionaries.
        import model.towers.tower  # noqa: F401

        def call(task: str, meanings: Mapping[str, str] | None, **values: Any) -> list[Any]:
            data = json.dumps([known.events, meanings, known.others]).encode()
            messages = box.call(task, data, cpu_s=limits.cpu_s, duration_s=duration_s, config=told, **values)
            return [json.loads(message) for _, message in messages]

        clips = known.clips if config.clips == "windows" else []
        try:
            meanings = self._meanings(call("sentences", None)[0]) if config.text_model else None
            *pairs, counts = call("write", meanings, video_id=video_id, clips=clips)
            return pairs, counts
        except SandboxError as error:
            raise Reject(
                "bad_annotation",
                f"writing questions from its {len(known.events)} events took too much: {error.detail}; see "
                "write_qa.limits",
            ) from None

    def _meanings(self, texts: list[str]) -> Mapping[str, str]:
        """Which texts say another again, by the text model."""
        config = self._config
        if config.text_model == CLIP:
            vectors = np.asarray(self._embed(config.select_tower, texts), np.float32)
        else:
            vectors = load_encoder(config.text_model)(texts)
        return paraphrases(texts, vectors, config.text_similarity) if texts else {}

    def _reword(self, pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        config = self._config
        if config.realizer == "templates" or not pairs:
            return pairs
        # Its client takes half a second to import, and only this realizer calls a model.
        from stages.qa.realize.llm import reword
        from workers.endpoint.client import Endpoint

        endpoint = Endpoint(config.endpoint, self._store, "write_qa")
        return reword(pairs, endpoint, config.endpoint.model, config.languages)

    def _embed(self, tower: TowerConfig, texts: Sequence[str]) -> list[Any]:
        return list(QueryEmbedder(tower)(texts)) if texts else []


def stage(config: WriteQaConfig) -> Stage:
    """Declares the stage."""
    asks_by_others = config.absent_share > 0 and config.clips == "events"
    reads = [*READS, *(CUT_READS if config.snap_to_cuts_s else ()), *(OTHER_READS if asks_by_others else ())]
    return Stage(
        name="write_qa", reads=pa.schema(reads), writes=QA, run=Worker, config=config, emits="unit", version=VERSION
    )
