"""What a data card tells of a corpus: numbers of pairs, licences and sources, from its tables."""

from typing import Any

import duckdb

from stages.annotations.origin import SOURCES

# What a model said is no annotation that someone has a licence for.
_ANNOTATIONS = """
    select a.licence, a.format, count(distinct video_id), count(distinct qa_id)
    from (select video_id, qa_id, unnest(annotations) as a from qa) where list_contains($sources, a.source)
    group by 1, 2
    union all
    select null, null, count(distinct video_id), count(*) from qa where coalesce(len(annotations), 0) = 0
    having count(*) > 0
    order by 3 desc, 1, 2"""
_REALIZERS = """
    select realizer, realizer_version, count(*) from qa where realizer is not null
    group by 1, 2 order by 3 desc, 1, 2"""
_MODELS = "select unnest(models), count(*) from qa group by 1 order by 2 desc, 1"
_SHARE_ALIKE = """
    select array_to_string(share_alike, ' and '), len(share_alike), count(*), count(distinct video_id) from samples
    group by 1, 2 order by 3 desc, 1"""


class Facts:
    """Holds the rows of the tables of a data card, each as the card shows it.

    Args:
        catalog: of the corpus.
        qa_columns: of its table `qa`; corpora that were built earlier lack some.
        sample_columns: the same of `samples`.
    """

    def __init__(self, catalog: duckdb.DuckDBPyConnection, qa_columns: set[str], sample_columns: set[str]) -> None:
        def rows(query: str, **values: Any) -> list[tuple]:
            return catalog.execute(query, values).fetchall()

        ((self.pairs, self.shards, self.shard_bytes),) = rows(
            "select count(*), count(distinct shard), (select sum(b) from (select any_value(shard_bytes) as b "
            "from samples group by shard)) from samples"
        )
        ((self.shard,),) = rows("select min(shard) from samples")
        ((self.videos, self.hours),) = rows("select count(*), sum(duration_s) / 3600 from videos")
        self.splits = rows("select split, count(distinct video_id), count(*) from samples group by 1 order by 1")
        self.tasks = rows("select task, count(*) from samples group by 1 order by 2 desc, 1")
        self.forms = rows(
            "select task, form, count(*) from qa group by all order by 3 desc, 1, 2"
            if "form" in qa_columns
            else "select task, task, count(*) from qa group by all order by 3 desc, 1, 2"
        )
        self.sources = rows("select source, count(*) from videos group by 1 order by 2 desc, 1")
        self.licences = rows("select licence, count(*) from videos group by 1 order by 2 desc, 1")
        self.provenance = rows("select split_part(provenance, ':', 1), count(*) from qa group by 1 order by 2 desc, 1")
        has_origins = "annotations" in qa_columns  # older corpora have none
        self.annotations = (
            rows(_ANNOTATIONS, sources=SOURCES) if has_origins else [(None, None, self.videos, self.pairs)]
        )
        self.realizers = rows(_REALIZERS) if has_origins else []
        self.models = rows(_MODELS) if has_origins else []
        self.share_alike = rows(_SHARE_ALIKE) if "share_alike" in sample_columns else []
        self.languages = (
            [x for (x,) in rows("select distinct language from qa order by 1")] if "form" in qa_columns else []
        )
        self.dropped = (
            rows("select dropped, count(*) from qa where dropped is not null group by 1 order by 2 desc, 1")
            if "dropped" in qa_columns
            else []
        )

    @property
    def video_licences(self) -> list[str | None]:
        """Returns each licence of a video once; None: not stated."""
        return [licence for licence, _ in self.licences]

    @property
    def annotation_licences(self) -> list[str | None]:
        """Returns the licences of annotations, in the order of the card's table; None: not stated."""
        return [licence for licence, *_ in self.annotations]
