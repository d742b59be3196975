"""The parts of a data card: Markdown tables, YAML features, obligations of licences, and how to read a corpus."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from schemas.licences import Terms
from schemas.messages import message

READING = """\
    pip install datasets duckdb numpy safetensors webdataset

The tables, with `PATH` for this folder:

    import datasets
    pairs = datasets.load_dataset("PATH", "samples", split="corpus")   # or "qa", "videos", "events"

    import duckdb
    duckdb.sql("select task, count(*) from 'PATH/tables/samples.parquet' where split = 'train' group by 1").show()

`samples` has the pairs in the shards, `qa` all that were written, with the reason in `dropped` where one was left out.
A pair without `options` is open-ended; else `answer_index` counts into them from 0. `evidence` has the spans in which
the answer can be seen, `blind_score` the probability that a model that sees only the texts gives the right option.

Shards are plain WebDataset tars without pickle; a sample is a video (or a part of its pairs):

    import json, safetensors.numpy, webdataset
    for sample in webdataset.WebDataset("PATH/shards/train/000000.tar", shardshuffle=False):
        facts = json.loads(sample["json"])                             # of the video: licence, source, duration
        pairs = json.loads(sample["qa.json"])
        tokens = safetensors.numpy.load(sample["tokens.safetensors"])
        for row, pair in enumerate(pairs):
            chosen = tokens["query_keyframes"][row]                    # -1 pads
            chosen = chosen[chosen >= 0]
            frames = tokens["keyframes"][chosen]                       # positions; tokens["time_s"][frames]: seconds
            keyframe_tokens = tokens["keyframe_tokens"][chosen]        # [K, P, C]
            merged_tokens = tokens["merged_tokens"][row]               # [N, C]: all other frames; zeros at keyframes

Times are seconds on the presentation timeline of the video, intervals are [start, end). A row of `samples` names the
shard and the byte ranges of its pair, so one pair can be read without the rest of the shard.
"""
# All but letters, digits and what means nothing inside a line: "4.0" and "a_b" stay, "example.org" becomes no link.
_ESCAPED = re.compile(r"[^\w ,.-]|(?<![^\W_])_|_(?![^\W_])|(?<=[^\W\d])\.(?=\w)|\A[.-]")
_NUMBERS = {pa.bool_(): "bool", pa.string(): "string", pa.large_string(): "string", pa.binary(): "binary"}


def cell(value: Any) -> str:
    """Returns a value escaped for Markdown: untrusted text becomes neither markup, nor HTML, nor a link."""
    text = " ".join(message(str(value)).split())
    # A reference to a character is never markup, wherever Markdown is read.
    return _ESCAPED.sub(lambda found: f"&#{ord(found[0])};", text)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], left: int = 0) -> str:
    """Returns a Markdown table and the number of rows that are not shown; nothing if there are no rows."""
    lines = [f"| {' | '.join(f'{v:,}' if isinstance(v, int) else cell(v) for v in row)} |" for row in rows]
    if not lines:
        return ""
    more = [f"\n{left:,} more are in the tables."] if left > 0 else []
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines, *more, ""])


def terms_text(terms: Terms) -> str:
    """Returns the obligations of the licences for use and distribution of the corpus."""
    lines = []
    if terms.share_alike:
        lines.append(
            f"Share-alike ({_list(terms.share_alike)}): works derived from these videos or annotations, the pairs and "
            "the visual tokens included, may be passed on under the same licence only."
        )
    if terms.non_commercial:
        lines.append(f"No commercial use: {_list(terms.non_commercial)}.")
    if terms.no_derivatives:
        lines.append(f"No derivatives ({_list(terms.no_derivatives)}): works derived from these may not be passed on.")
    if terms.unknown:
        lines.append("Where no licence is stated, none is granted: ask the rights holder before you pass anything on.")
    lines.append(
        "The columns `licence` (of the video), `annotations` (file, rows, format and licence of each annotation that a "
        "pair is made of) and `share_alike` of the table `qa` say which pairs this concerns."
    )
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(cell, names[:10])) + (" and others" if len(names) > 10 else "")


def size_category(rows: int) -> str:
    """Returns the size category of the Hugging Face hub for a number of rows."""
    limits = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M")]
    return next((name for limit, name in limits if rows < limit), "10M<n<100M")


def features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Returns the features of a table in the format of the header of a data card."""
    return [{"name": field.name, **_feature(field.type)} for field in schema]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _feature(kind.value_type)
        return {"list": inner.get("dtype") or inner.get("struct") or inner}
    if pa.types.is_struct(kind):
        return {"struct": [{"name": field.name, **_feature(field.type)} for field in kind]}
    return {"dtype": _NUMBERS.get(kind) or {"float": "float32", "double": "float64"}.get(str(kind), str(kind))}
