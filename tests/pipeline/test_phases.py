"""The list of stages agrees with what the stages declare, and cache keys are those of corpora that exist."""

from importlib.util import find_spec

import pytest

from pipeline.engine.chain import chain
from pipeline.inputs.recipe import Recipe, override
from pipeline.listed import Listed
from pipeline.phases import PHASES, phases
from schemas.stage import Stage

LISTED = {listed.name: listed for phase in PHASES for listed in phase.stages}
STAGES = Recipe().stages()
WITH_MODELS = override(Recipe(), ["annotate.annotators=[transcribe, caption]"]).stages()
AT_CUTS = override(Recipe(), ["write_qa.snap_to_cuts_s=1.5"]).stages()
# The version of each stage, and where the default config puts a unit whose columns hold their own names. Where a path
# changes and the version does not, every build would run that stage again for no reason.
UNIT_PATHS = {
    "download": (6, "units/download/f46cbf77a18b/ef/ef709c053a8324a6502792da.parquet"),
    "shard": (6, "units/shard/988cbc4564e4/c2/c2399ebfd7343a43b36232bc.parquet"),
    "decode": (9, "units/decode/99dc6c3c1b40/2e/2ea97cb282a506c9a1053f1e.parquet"),
    "embed": (1, "units/embed/3ffe7fd6349d/7c/7cd30ba9438bf5a13119a7bb.parquet"),
    "find_shots": (1, "units/find_shots/ef70eaf31463/9d/9d0e01429bf774058c7369e2.parquet"),
    "find_duplicates": (1, "units/find_duplicates/3224e75a83bf/59/59ddf5179a81306b2e3380af.parquet"),
    "annotate": (6, "units/annotate/12ded0fcce0e/b1/b1ef8a4ce97bbab6d3bb3acb.parquet"),
    "write_qa": (9, "units/write_qa/d8286ce53887/52/528da80c7e43fad20208a100.parquet"),
    "audit_qa": (2, "units/audit_qa/c3babb8d4008/31/31dd1ebc4a5317d6d8439352.parquet"),
    "filter_qa": (1, "units/filter_qa/43fd02049fed/34/344b569d3819694651804573.parquet"),
    "select": (3, "units/select/25c76d5f0fe6/13/136573a64807b84ce5f8902b.parquet"),
    "distill": (2, "units/distill/002b43af5c71/66/669027e10d3817faebe6d96e.safetensors"),
    "group": (1, "units/group/d84f9ea9ff83/1a/1ae7f87e9711f9fa38dee6fd.parquet"),
    "pack": (3, "units/pack/ad916d449d76/ea/ea72f5f89082b777f08e8c29.parquet"),
}


def check_entry(listed: Listed, stage: Stage) -> None:
    assert stage.name == listed.name
    assert stage.section == listed.section
    assert listed.runs_on == ("actors" if stage.is_actor else "tasks")
    assert stage.fan_out == listed.fan_out
    assert type(stage.config) is listed.config
    written = listed.writes.split(",")[0]
    assert stage.writes == (None if written == "tensors" else listed.declare.__globals__[written])
    assert (stage.emits == "rows") or listed.fan_out != "1:N"
    assert stage.is_actor or not stage.imports
    assert all(map(find_spec, stage.imports))
    assert listed.why


@pytest.mark.parametrize("name", LISTED)
def test_the_list_says_what_the_stages_declare(name):
    check_entry(LISTED[name], WITH_MODELS[name])


@pytest.mark.parametrize("name", STAGES)
def test_a_default_unit_lies_where_it_lay(name):
    stage, (version, path) = STAGES[name], UNIT_PATHS[name]
    assert stage.version >= version
    if stage.version == version:
        assert stage.unit_path({column: column for column in stage.reads.names}) == path


@pytest.mark.parametrize("stages", [STAGES, WITH_MODELS, AT_CUTS], ids=["default", "with models", "at cuts"])
def test_every_chain_fits(stages):
    for phase in phases(stages):
        assert len(chain(phase.schema, phase.stages, phase.passthrough)) == len(phase.stages) + 1
