"""The parts of a data card: Markdown tables, YAML features, obligations of licences, and how to read a corpus."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.config import TowerConfig
from schemas.licences import Terms
from schemas.messages import message

if TYPE_CHECKING:
    from pipeline.inputs.recipe import Recipe

SHOWN = 20
"""Rows of a table; the rest is counted."""
_READING = """\
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
    for sample in webdataset.WebDataset("PATH/SHARD", shardshuffle=False):
        facts = json.loads(sample["json"])                             # of the video: licence, source, duration
        asked = json.loads(sample["qa.json"])                          # pairs, with the columns of `qa`
        tokens = safetensors.numpy.load(sample["tokens.safetensors"])
        for row, pair in enumerate(asked):
            chosen = tokens["query_keyframes"][row]                    # -1 pads
            chosen = chosen[chosen >= 0]
            frames = tokens["keyframes"][chosen]                       # positions; tokens["time_s"][frames]: seconds
            keyframe_tokens = tokens["keyframe_tokens"][chosen]        # [K, P, C]
            merged_tokens = tokens["merged_tokens"][row]               # [N, C]: all other frames; zeros at keyframes
        if "clips.safetensors" in sample:                              # only with the first sample of a video
            clip_tokens = safetensors.numpy.load(sample["clips.safetensors"])["clip_tokens"]   # [clips, tokens, C]

N are the frames, K the keyframes of the question, P the tokens of a keyframe, C the width of a token. Times are seconds
on the presentation timeline of the video, intervals are [start, end). A row of `samples` has the shard and the byte
ranges of its pair, so one pair can be read without the rest of the shard:

    place = pairs[0]
    with open(f"PATH/{place['shard']}", "rb") as shard:
        shard.seek(place["qa_offset"])
        pair = json.loads(shard.read(place["qa_bytes"]))[place["row"]]
        shard.seek(place["tokens_offset"])
        tokens = safetensors.numpy.load(shard.read(place["tokens_bytes"]))   # its row of these is place["row"], too
"""
_OTHER_TABLES = {
    "frames": "what each sampled frame shows (embedding, layout), by which `longvid decontaminate` finds these videos",
    "segments": "the parts in which the videos were decoded",
    "shots": "the spans between cuts",
    "duplicates": "videos that show the same",
    "selections": "the keyframes of each pair, with their relevance",
    "dropped": "numbers of annotated events and pairs that were left out, by reason",
    "shards": "the files, with their checksums",
    "rejects": "videos that could not be used, with the reason",
    "contamination": "videos and questions of benchmarks that were found in the corpus",
    "reviews": "verdicts of people on pairs drawn at random; pairs that they judged wrong are not in the shards",
}
_SHARD = re.compile(r"shards/[\w-]{1,40}/\d{6}\.tar", re.ASCII)
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


def tokens_text(recipe: Recipe | None) -> str:
    """Returns how the visual tokens were made, without paths; `recipe` is None where it is not known."""
    if recipe is None:
        return "How frames were sampled and by which model the tokens were made is not known: corpus.json is missing.\n"
    distill, clips = recipe.distill, ""
    if distill.hico:
        clips = f" Each {distill.clip_frames} frames also became {distill.clip_tokens} clip tokens (HiCo)."
    return (
        f"Frames were sampled at {recipe.shard.fps:g} per second (more densely in short videos, at most "
        f"{recipe.shard.max_frames:,} per video). Up to {recipe.select.k} keyframes per question were chosen by "
        f"embeddings of {_tower(recipe.embed.tower)}. The tokens are patch features of "
        f"{_tower(distill.tower)}: a keyframe has a grid of them, any other frame one merged token.{clips}\n"
    )


def _tower(tower: TowerConfig) -> str:
    names = " ".join(cell(PurePosixPath(name).name) for name in (tower.model, tower.pretrained) if name)
    return f"the local model {names}" if tower.model.startswith("local-dir:") else names


def reading_text(shard: str | None) -> str:
    """Returns how to read a corpus, with the path of one of its shards, which is untrusted."""
    return _READING.replace("SHARD", shard if shard and _SHARD.fullmatch(shard) else "shards/train/000000.tar")


def other_tables(names: Collection[str]) -> str:
    """Returns a list of the tables that `load_dataset` does not read."""
    lines = [f"- `{name}`: {told}" for name, told in _OTHER_TABLES.items() if name in names]
    return "\n".join(["Other tables, as Parquet files in `tables`:\n", *lines, ""]) if lines else ""


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


def share_alike_text(rows: list[tuple]) -> str:
    """Returns which pairs in the shards may be passed on under which licence only; nothing where none asks for one."""
    if not any(count for _, count, *_ in rows):
        return ""
    shown = [
        (name if count else "none: the other terms hold alone", pairs, videos) for name, count, pairs, videos in rows
    ]
    lines = [table(("share-alike licence of the pair", "pairs in shards", "videos"), shown[:SHOWN], len(shown) - SHOWN)]
    if any(count and count > 1 for _, count, *_ in rows):
        lines.append(
            "Where several licences are named, a derived work must fulfil all of them at once. That is possible only "
            "where one of them allows the others; else leave these pairs out.\n"
        )
    lines.append(
        "The pairs without any of them: `select * from 'PATH/tables/samples.parquet' where len(share_alike) = 0`.\n"
    )
    return "\n".join(lines)


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
