"""The Python blocks of the documents run."""

import importlib
import re
import textwrap
from pathlib import Path

import pytest

from tests.workers.shards.shard_units import pack, write_video
from workers.storage.store import Store

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "docs" / "api.md", *sorted((ROOT / "model" / "ops").glob("*/README.md"))]


def blocks(document: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", document.read_text(), re.M | re.S)


EXAMPLES = [
    pytest.param(code, id=f"{document.relative_to(ROOT)}-{number}")
    for document in DOCUMENTS
    for number, code in enumerate(blocks(document))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a small corpus in it that has two shards."""
    path = tmp_path_factory.mktemp("documents")
    store = Store(path / "corpus")
    videos = [write_video(store, number, num_queries=6) for number in range(2)]
    assert len(pack(store, videos, val_fraction=0.0, shard_bytes=20_000)["shard"].unique()) == 2
    return path


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_block_runs(code, folder, monkeypatch):
    monkeypatch.chdir(folder)
    exec(compile(code, "document", "exec"), {})


@pytest.mark.parametrize("package", ["model.ops", "workers.shards"])
def test_every_export_has_an_example(package):
    examples = "".join(code for document in DOCUMENTS for code in blocks(document))
    text = (ROOT / "docs" / "api.md").read_text()
    for name in importlib.import_module(package).__all__:
        assert re.search(rf"\b{name}\b", text), name
        assert not name[0].islower() or re.search(rf"\b{name}\(", examples), name


def test_the_block_of_the_readme_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    text = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"^    from workers.shards import samples\n.*?(?=^\S)", text, re.M | re.S)
    exec(compile(textwrap.dedent(block).replace("000007", "000001"), "README.md", "exec"), {})
