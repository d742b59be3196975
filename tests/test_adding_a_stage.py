"""What docs/adding-a-stage.md says is done: its file and its line add a stage that plans, runs and resumes."""

import importlib
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageFilter

from pipeline import phases as listing
from pipeline.engine.chain import chain
from pipeline.engine.committed import Committed, State
from pipeline.engine.crash_counter import CrashCounter
from pipeline.engine.unit_runner import UnitRunner
from pipeline.inputs.recipe import Recipe
from schemas.tables.media import FRAME
from tests.pipeline.test_phases import check_entry
from tests.test_docstrings import check_docstrings
from workers.storage.store import Store

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "adding-a-stage.md"
FILE, ENTRY = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The entry of the document's stage, in the list behind `decode`."""
    (tmp_path / "measure_sharpness.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    measure_sharpness = importlib.import_module("measure_sharpness")
    entry = eval(ENTRY, {"Listed": listing.Listed, "measure_sharpness": measure_sharpness})
    ingest, *others = listing.PHASES
    stages = [part for stage in ingest.stages for part in ([stage, entry] if stage.name == "decode" else [stage])]
    monkeypatch.setattr(listing, "PHASES", [replace(ingest, stages=stages), *others])
    return entry


def image(blur: float) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(blur)).save(stream := BytesIO(), "JPEG")
    return stream.getvalue()


def test_the_stage_of_the_document_is_as_the_tests_of_stages_ask(added):
    check_docstrings(FILE)
    check_entry(added, listing.declare_stages(dict(Recipe()) | {added.name: added.config()})[added.name])


def test_the_stage_of_the_document_runs(added, tmp_path):
    store = Store(tmp_path / "corpus")
    frames = [{**dict.fromkeys(FRAME.names), "sample_index": n, "jpeg": image(blur)} for n, blur in enumerate((0, 2))]
    store.write_tables("units/decode/x.parquet", [pa.Table.from_pylist(frames, FRAME)], FRAME)
    stages = listing.declare_stages(dict(Recipe()) | {added.name: added.config()})
    ingest = listing.phases(stages)[0]
    assert [stage.name for stage in ingest.stages] == ["download", "shard", "decode", added.name, "embed"]
    schemas = chain(ingest.schema, ingest.stages, ingest.passthrough)
    committed = Committed(stages[added.name], store, schemas[4])
    row = {**dict.fromkeys(schemas[3].names), "segment_id": "v-00000", "decode_unit": "units/decode/x.parquet"}
    (out,) = UnitRunner(committed, CrashCounter(store, "run")).run(row)
    assert out["reject"] is None, out["reject"]["detail"]
    written = store.read_table(out["measure_sharpness_unit"]).to_pylist()
    assert [frame["sample_index"] for frame in written] == [0, 1]
    assert written[0]["sharpness"] > 2 * written[1]["sharpness"]
    assert committed.find(row).state is State.DONE
