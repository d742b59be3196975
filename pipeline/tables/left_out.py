"""The pairs that people had left out: by `longvid decontaminate --drop` and by the verdicts of `longvid review`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.tables.damage import naming
from schemas.tables.qa import CONTAMINATION, REVIEW
from workers.storage.store import Store

CONTAMINATION_PATH = "tables/contamination.parquet"
REVIEWS_PATH = "tables/reviews.parquet"
CONTAMINATED, REVIEWED = "contaminated", "judged_wrong"
COLUMNS = ("video_id", "other_video_id", "qa_id", "annotations")
"""Columns of QA that say whether a pair is left out."""
WRONG = ("fault", "source")
"""Verdicts for which a pair is left out."""

AnnotationRow = tuple[str, str, int]
"""Video id, file (empty: the manifest) and number of a row of an annotation."""


class LeftOut(NamedTuple):
    """Names what must be left out of the shards."""

    videos: frozenset[str]
    """Videos that are in benchmarks."""
    pairs: frozenset[str]
    """Pairs that are in benchmarks."""
    wrong_pairs: frozenset[str]
    """Pairs that a person judged wrong."""
    wrong_rows: frozenset[AnnotationRow]
    """Rows of annotations that a person judged wrong."""

    def __bool__(self) -> bool:
        return any(self)

    def reason(self, pair: dict[str, Any]) -> str | None:
        """Returns why a row of QA, of which COLUMNS suffice, is left out; None if it is not."""
        if {pair["video_id"], pair["other_video_id"]} & self.videos or pair["qa_id"] in self.pairs:
            return CONTAMINATED
        if pair["qa_id"] in self.wrong_pairs:
            return REVIEWED
        if self.wrong_rows and not self.wrong_rows.isdisjoint(rows_of(pair)):
            return REVIEWED
        return None

    def names(self) -> list[str]:
        """Returns all that is named, in an order that does not change."""
        return [part for each in self for part in ["", *sorted(map(str, each))]]


def rows_of(pair: dict[str, Any]) -> Iterator[AnnotationRow]:
    """Yields the rows of annotations from which a pair was made: of its video, or of the other one that it asks for."""
    for annotation in pair["annotations"] or []:
        for row in annotation["rows"] or []:
            yield pair["other_video_id"] or pair["video_id"], annotation["file"] or "", row


def read_left_out(store: Store) -> LeftOut:
    """Returns what the tables `contamination` and `reviews` name; nothing for a table that is not there.

    Raises DamagedFile.
    """
    found = [row for row in _rows(store, CONTAMINATION_PATH, CONTAMINATION) if row["drop"]]
    judged = [row for row in _rows(store, REVIEWS_PATH, REVIEW) if row["verdict"] in WRONG]
    wrong = (each for row in judged for each in row["wrong_rows"] or [] if each)
    return LeftOut(
        frozenset(row["video_id"] for row in found if row["qa_id"] is None),
        frozenset(row["qa_id"] for row in found if row["qa_id"] is not None),
        frozenset(row["qa_id"] for row in judged),
        frozenset((each["video_id"], each["file"], each["row"]) for each in wrong),
    )


def _rows(store: Store, path: str, schema: pa.Schema) -> list[dict[str, Any]]:
    if not store.exists(path):
        return []
    with naming(path):
        return store.read_table(path, schema.names).select(schema.names).cast(schema).to_pylist()
