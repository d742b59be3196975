"""`longvid datasheet`: writes README.md into a corpus, a data card in the Hugging Face form. Needs only its tables.

What others wrote (licences, sources, names of tasks) is shown as text: none of it becomes Markdown, HTML or YAML.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.inputs.recipe import Recipe, recorded_recipe
from pipeline.inputs.yaml_text import dump_yaml
from pipeline.not_built import require_tables
from pipeline.tables.card_facts import Facts
from pipeline.tables.card_text import (
    SHOWN,
    cell,
    features,
    other_tables,
    reading_text,
    share_alike_text,
    size_category,
    table,
    terms_text,
    tokens_text,
)
from pipeline.tables.catalog import open_catalog
from pipeline.tables.corpus_file import CORPUS
from pipeline.tables.damage import naming
from pipeline.tables.reviewed import judged_text
from schemas.config import ConfigError
from schemas.licences import Terms, terms_of
from schemas.messages import counted, size_text
from schemas.table_names import BESIDE
from schemas.table_names import TABLES as ALL_TABLES
from schemas.tables import FORMAT_VERSION
from workers.fetch.redaction import redacted
from workers.storage.store import Store

README = "README.md"
TABLES = ("samples", "qa", "videos", "events")
"""Those that `load_dataset` can read; the first is the default one."""
_OTHERS = (*(name for name in ALL_TABLES if name not in TABLES), *BESIDE)
_MARK = re.compile(r"\n<!-- written by longvid datasheet: ([0-9a-f]{64}) -->\n\Z")
_TOKENS = re.compile(r"\n## Visual tokens\n\n(.*?\n)\n## How to read it\n", re.S)
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_NONE = "(not stated)"


class ReadmeKept(ConfigError):
    """`longvid datasheet` did not write this README.md, or it was changed since. The message says what to do."""


def write_datasheet(corpus: str, force: bool = False) -> str:
    """Writes the data card of a corpus; gives its path.

    Args:
        corpus: its root; `tables/` and `shards/` are enough.
        force: replace a README.md that was written by someone else, or changed.

    Raises:
        ReadmeKept: there is such a README.md, and no `force`.
        NotBuilt, CatalogError or DamagedFile: the tables are not there, or cannot be read.
    """
    store = Store(corpus)
    if not force and store.exists(README) and not _is_ours(store.read_bytes(README)):
        raise ReadmeKept(
            f"{redacted(store.root)}/{README}: was not written by `longvid datasheet`, or changed since: move it away, "
            "or give --force to have it replaced"
        )
    require_tables(store, *TABLES[:3])
    text = card(store, corpus)
    store.write_bytes(README, f"{text}\n<!-- written by longvid datasheet: {_digest(text)} -->\n".encode())
    return f"{redacted(store.root)}/{README}"


def _is_ours(data: bytes) -> bool:
    text = data.decode(errors="replace")
    found = _MARK.search(text)
    return found is not None and found[1] == _digest(text[: found.start()])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def card(store: Store, corpus: str) -> str:
    """Returns the text of the data card: a YAML header and Markdown."""
    paths = {name: f"tables/{name}.parquet" for name in TABLES}
    schemas = {name: _schema(store, path) for name, path in paths.items() if store.exists(path)}
    with open_catalog(corpus) as catalog:
        facts = Facts(catalog, set(schemas["qa"].names), set(schemas["samples"].names))
        terms = terms_of([*facts.video_licences, *facts.annotation_licences])
        header = _header(schemas, facts, terms)
        return f"---\n{dump_yaml(header)}---\n\n{_body(store, schemas, facts, terms)}"


def _header(schemas: dict[str, pa.Schema], facts: Facts, terms: Terms) -> dict[str, Any]:
    header: dict[str, Any] = {
        "pretty_name": "Questions about long videos",
        "license": terms.identifier,
        "language": [x for x in facts.languages if x and _LANGUAGE.fullmatch(x)],
        "task_categories": ["video-text-to-text", "visual-question-answering"],
        "size_categories": [size_category(facts.pairs)],
        "tags": ["longvid", "video", "webdataset"],
        "configs": [],
        "dataset_info": [],
    }
    for name, schema in schemas.items():
        # One split of `load_dataset`; the column `split` has train and val. ("all" means something else there.)
        files = [{"split": "corpus", "path": f"tables/{name}.parquet"}]
        header["configs"].append({"config_name": name, "data_files": files})
        header["dataset_info"].append({"config_name": name, "features": features(schema)})
    header["configs"][0]["default"] = True
    return header


def _body(store: Store, schemas: dict[str, pa.Schema], facts: Facts, terms: Terms) -> str:
    recipe = _recipe(store)
    others = [name for name in _OTHERS if store.exists(f"tables/{name}.parquet")]
    length = f"{facts.hours or 0:,.1f} hours" if (facts.hours or 0) >= 1 else f"{(facts.hours or 0) * 60:.1f} minutes"
    total = f"{counted(facts.pairs, 'pair')} about {counted(facts.videos, 'video')} ({length})"
    size = f"{counted(facts.shards, 'shard')} ({size_text(facts.shard_bytes or 0)})"
    parts = [
        "# Questions about long videos\n",
        f"{total} with precomputed visual tokens, in {size}. Built with longvid, format version {FORMAT_VERSION}"
        f"{'; `corpus.json`, where it was published as well, has all settings' if recipe else ''}.\n",
        table(("split", "videos", "pairs"), facts.splits),
        "## Tasks\n",
        *_tasks(facts),
        judged_text(store),
        "## Licences\n",
        *_licences(facts, terms),
        "## Sources\n",
        table(("source", "videos"), _named(facts.sources)[:SHOWN], left=len(facts.sources) - SHOWN),
        "## Visual tokens\n",
        tokens_text(recipe) if recipe else _told_of_tokens(store) or tokens_text(None),
        "## How to read it\n",
        reading_text(facts.shard),
        other_tables(others),
        "## Columns\n",
        *(f"`{name}`: {', '.join(cell(column) for column in schema.names)}.\n" for name, schema in schemas.items()),
    ]
    return "\n".join(parts)


def _tasks(facts: Facts) -> Iterator[str]:
    yield table(("task", "pairs in shards"), facts.tasks)
    yield table(("task", "form", "pairs written"), facts.forms[:SHOWN], left=len(facts.forms) - SHOWN)
    yield (
        "Each pair was planned from timed annotations of its video, checked by a solver that reads these anew, and put "
        "into words; or it was annotated as a conversation. The table `qa` has for each pair the spans of evidence, "
        "the events it is made of and what the audits found.\n"
    )
    yield table(("made by", "pairs"), facts.provenance[:SHOWN], left=len(facts.provenance) - SHOWN)
    yield table(("worded by", "version", "pairs"), facts.realizers)
    yield table(("words of the model", "pairs"), facts.models)
    if facts.dropped:
        yield "Written and left out of the shards:\n"
        yield table(("reason", "pairs"), facts.dropped)


def _licences(facts: Facts, terms: Terms) -> Iterator[str]:
    yield table(("licence of the video", "videos"), _named(facts.licences))
    yield table(
        ("licence of the annotation", "format", "videos", "pairs"),
        [(licence or _NONE, form or _NONE, *counts) for licence, form, *counts in facts.annotations[:SHOWN]],
        left=len(facts.annotations) - SHOWN,
    )
    yield terms_text(terms)
    yield share_alike_text(facts.share_alike)


def _recipe(store: Store) -> Recipe | None:
    try:
        return recorded_recipe(store) if store.exists(CORPUS) else None
    except ConfigError:  # of another version, or damaged; the tables are there
        return None


def _told_of_tokens(store: Store) -> str:
    """What the card of the corpus tells of its tokens, if `longvid datasheet` wrote it where there was a recipe; ""."""
    data = store.read_bytes(README) if store.exists(README) else b""
    found = _TOKENS.search(data.decode(errors="replace"))
    return found[1] if found and _is_ours(data) else ""


def _named(rows: list[tuple]) -> list[tuple]:
    return [(name or _NONE, count) for name, count in rows]


def _schema(store: Store, path: str) -> pa.Schema:
    with naming(path), store.open(path) as source:
        return pq.read_schema(source)
