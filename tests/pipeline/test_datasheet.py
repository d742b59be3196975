"""The data card of a corpus: what it says, that a reader of such cards finds the data, and whose README it replaces."""

import html
import re
import shutil
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.datasheet import card
from pipeline.inputs.recipe import load_recipe
from pipeline.inputs.yaml_text import load_yaml
from pipeline.tables.corpus_file import describe
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import pair, sample, video, write_corpus
from workers.storage.store import Store

HOSTILE = "x | y\n---\n# big\n<script>alert(1)</script> [here](http://evil.example) *b* `c` @user www.evil.example"


@pytest.fixture
def corpus(tmp_path):
    videos = [video("a"), video("b", licence="CC BY-NC-SA 4.0", source="youtube"), video("c", licence=None)]
    pairs = [pair(name, number) for name in "abc" for number in range(4)]
    write_corpus(tmp_path, videos, [*pairs, pair("a", 9, task="captioning", form="brief", language="de")])
    return tmp_path


def read(corpus) -> tuple[dict, str]:
    """The YAML header and the text of the README."""
    empty, header, body = (corpus / "README.md").read_text().split("---\n", 2)
    assert empty == ""
    return load_yaml(header), body


def test_the_card_tells_licences_tasks_and_sources(corpus):
    assert run("datasheet", corpus) == 0
    header, body = read(corpus)
    assert header["license"] == "other"
    assert header["language"] == ["de", "en"]
    assert header["size_categories"] == ["n<1K"]
    for told in ("| CC BY-NC-SA 4.0 | 1 |", "| &#40;not stated&#41; | 1 |", "| youtube | 1 |", "format version"):
        assert told in body
    assert re.search(r"Share-alike.*CC BY-NC-SA 4\.0.*same licence only", body)
    assert "No commercial use" in body and "Where no licence is stated, none is granted" in body
    assert "| event_relationship | 12 |" in body and "| captioning | brief | 1 |" in body


def test_the_card_tells_which_pairs_are_share_alike_and_who_worded_them(tmp_path):
    free = {"source": "events_file", "file": "a.json", "format": "coin", "licence": "MIT", "prompt": None, "rows": [1]}
    bound = {**free, "format": "qvhighlights", "licence": "CC BY-NC-SA 4.0"}
    spoken = {**free, "source": "whisper-9", "file": None, "format": "transcribe", "licence": None}
    made = {"realizer": "templates", "realizer_version": 7, "models": []}
    both = ["CC BY-NC-SA 4.0", "CC BY-SA 4.0"]
    pairs = [
        pair("a", 1, **made, annotations=[free], share_alike=[]),
        pair("a", 2, **{**made, "models": ["whisper-9"]}, annotations=[free, spoken], share_alike=[]),
        pair("b", 3, **made, annotations=[bound], share_alike=both),
    ]
    videos = [video("a", licence="MIT"), video("b", licence="CC BY-SA 4.0")]
    write_corpus(tmp_path, videos, pairs, [sample(p, share_alike=p["share_alike"]) for p in pairs])
    text = card(Store(tmp_path), str(tmp_path))
    for told in (
        "| MIT | coin | 1 | 2 |",
        "| CC BY-NC-SA 4.0 | qvhighlights | 1 | 1 |",
        "| templates | 7 | 3 |",
        "| whisper-9 | 1 |",
        "| CC BY-NC-SA 4.0 and CC BY-SA 4.0 | 1 | 1 |",
        "must fulfil all of them at once",
    ):
        assert told in text
    assert "not stated" not in text  # a model's words have no licence that someone could state
    only_free = write_corpus(tmp_path / "free", videos[:1], pairs[:2])
    assert "must fulfil" not in card(only_free, str(tmp_path / "free"))
    assert "license: mit" in card(only_free, str(tmp_path / "free"))


def test_one_licence_that_the_hub_knows_is_named(tmp_path):
    write_corpus(tmp_path, [video("a", licence="Creative Commons Attribution 4.0")], [pair("a", 1)])
    assert "license: other" in card(Store(tmp_path), str(tmp_path))  # that of the annotation is not known


def test_the_features_are_those_of_the_tables(corpus):
    assert run("datasheet", corpus) == 0
    header, _ = read(corpus)
    dtypes = {"int32": "int32", "int64": "int64", "string": "string", "double": "float64", "float": "float32"}
    for config, info in zip(header["configs"], header["dataset_info"], strict=True):
        [files] = config["data_files"]
        assert files["split"] != "all"  # which `load_dataset` refuses
        schema = pq.read_schema(corpus / files["path"])
        assert [feature["name"] for feature in info["features"]] == schema.names
        for feature, field in zip(info["features"], schema, strict=True):
            if str(field.type) in dtypes:
                assert feature["dtype"] == dtypes[str(field.type)]
    [qa] = [info for info in header["dataset_info"] if info["config_name"] == "qa"]
    evidence = next(feature for feature in qa["features"] if feature["name"] == "evidence")
    assert evidence["list"] == [{"name": "start_s", "dtype": "float64"}, {"name": "end_s", "dtype": "float64"}]


def test_untrusted_text_stays_text(tmp_path):
    videos = [video("a", licence=HOSTILE, source=HOSTILE)]
    write_corpus(tmp_path, videos, [pair("a", 1, task=HOSTILE, provenance=HOSTILE, language="x: [1]\n---")])
    assert run("datasheet", tmp_path) == 0
    header, body = read(tmp_path)
    assert header["language"] == [] and header["license"] == "other"
    for markup in ("<script", "](http", "*b*", "`c`", "@user", "www.evil", "\n# big", "x | y"):
        assert markup not in body
    assert " ".join(HOSTILE.split()) in html.unescape(body)


def test_a_column_that_is_nested_too_deeply_is_named(corpus, capsys):
    kind = pa.int32()
    for _ in range(1200):
        kind = pa.struct([("x", kind)])
    pq.write_table(pa.table({"deep": pa.nulls(0, kind)}), corpus / "tables" / "qa.parquet")
    assert run("datasheet", corpus) == 2
    assert "tables/qa.parquet: damaged (Parquet schema too deeply nested" in " ".join(capsys.readouterr().err.split())


def test_a_readme_of_someone_else_is_kept_unless_forced(corpus, capsys):
    readme = corpus / "README.md"
    readme.write_text("mine\n")
    assert run("datasheet", corpus) == 2
    assert "README.md: was not written by `longvid datasheet`" in capsys.readouterr().err
    assert readme.read_text() == "mine\n"
    assert run("datasheet", corpus, "--force") == 0
    written = readme.read_text()
    assert run("datasheet", corpus) == 0
    assert readme.read_text() == written
    assert f"wrote {readme}" in capsys.readouterr().out
    readme.write_text(written.replace("## Sources", "## Sources\n\nmy notes"))
    assert run("datasheet", corpus) == 2
    assert "my notes" in readme.read_text()


def test_what_was_told_of_the_tokens_is_kept_where_the_recipe_is_gone(corpus):
    def told() -> str:
        return read(corpus)[1].partition("## Visual tokens\n")[2].partition("## How to read it\n")[0]

    describe(Store(corpus), load_recipe("demo"))
    assert run("datasheet", corpus) == 0
    known = told()
    assert "The tokens are patch features of" in known
    (corpus / "corpus.json").unlink()
    assert run("datasheet", corpus) == 0 and run("datasheet", corpus) == 0
    assert told() == known
    (corpus / "README.md").write_text("## Visual tokens\n\nmine\n\n## How to read it\n")
    assert run("datasheet", corpus, "--force") == 0
    assert "is not known: corpus.json is missing" in told()


def test_without_tables_it_says_what_to_build(tmp_path, capsys):
    assert run("datasheet", tmp_path) == 2
    assert "no corpus there" in capsys.readouterr().err
    assert not (tmp_path / "README.md").exists()


@pytest.fixture(scope="module")
def published(small_corpus, tmp_path_factory):
    """What a user of a published corpus gets: shards, tables and the card."""
    built, folder = tmp_path_factory.mktemp("card") / "built", tmp_path_factory.mktemp("card") / "published"
    shutil.copytree(small_corpus.corpus, built)
    assert run("datasheet", built) == 0
    for name in ("shards", "tables"):
        shutil.copytree(built / name, folder / name)
    shutil.copy(built / "README.md", folder)
    return folder


def code_of(folder) -> list[str]:
    """The blocks of code of the card, after the one that installs what they need."""
    reading = read(folder)[1].partition("## How to read it")[2]
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", reading, re.M)
    install, *code = [textwrap.dedent(block).replace("PATH", str(folder)) for block in blocks if block.strip()]
    assert install.strip().startswith("pip install")
    return code


def test_the_code_of_the_card_reads_shards_and_single_pairs(published):
    first, *rest = code_of(published)
    names = {"pairs": pq.read_table(published / "tables" / "samples.parquet").to_pylist()}
    exec(first[first.index("import duckdb") :], names)
    for code in rest:
        exec(code, names)
    assert names["pair"]["qa_id"] == names["pairs"][0]["qa_id"]
    assert names["facts"]["video_id"] and names["clip_tokens"].ndim == 3
    frames, tokens = names["frames"], names["keyframe_tokens"]
    assert len(frames) == len(tokens) > 0 and tokens.ndim == 3
    assert not np.any(names["merged_tokens"][frames]) and np.any(names["merged_tokens"])


def test_load_dataset_reads_each_table_as_the_card_says(published, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    reason = "the library `datasets`, which the card names, is no dependency of longvid and is not installed"
    datasets = pytest.importorskip("datasets", reason=reason)
    names: dict = {}
    exec(code_of(published)[0], names)
    for name in ("samples", "qa", "videos", "events"):
        loaded = datasets.load_dataset(str(published), name, split="corpus")
        table = pq.read_table(published / "tables" / f"{name}.parquet")
        assert [*loaded] == table.to_pylist()
    assert names["pairs"].num_rows == datasets.load_dataset(str(published), split="corpus").num_rows > 0
