"""The declaration of embed: what its units depend on."""

import pytest

from schemas.config import ConfigError, TowerConfig, parse
from stages.embed import EmbedConfig, stage
from tests.tiny_towers import save_vit, write_frames
from workers.storage.store import Store

UNIT = {"video_id": "v", "segment_id": "v-00000", "decode_unit": "units/decode/x"}


def test_a_unit_is_committed_in_the_declared_schema(tmp_path):
    store = Store(tmp_path)
    write_frames(store, UNIT["decode_unit"], [0, 1, 2])
    declared = stage(EmbedConfig(tower=TowerConfig(model=save_vit(tmp_path / "tower"))))
    path = declared.unit_path(UNIT)
    tables = declared.run(declared.config, store)({**UNIT, "unit_path": path})
    assert store.write_tables(path, tables, declared.writes) == 3


def test_another_tower_or_batch_is_another_unit_and_other_resources_are_the_same():
    base = stage(EmbedConfig()).unit_path(UNIT)
    assert stage(EmbedConfig(batch_frames=64)).unit_path(UNIT) != base
    assert stage(EmbedConfig(tower=TowerConfig(model="RN50", pretrained="openai"))).unit_path(UNIT) != base
    assert stage(EmbedConfig(resources={"gpus": 0.25, "cpus": 4})).unit_path(UNIT) == base


@pytest.mark.parametrize("values", [{"batch_frames": 0}, {"batch_frames": 5000}, {"tower": {"precision": "int8"}}])
def test_values_out_of_range_are_refused(values):
    with pytest.raises(ConfigError, match=str(next(iter(values)))):
        parse(EmbedConfig, values)


def test_retrained_weights_under_an_old_name_are_another_unit(tmp_path):
    name = save_vit(tmp_path)
    config = EmbedConfig(tower=TowerConfig(model=name))
    base = stage(config).unit_path(UNIT)
    weights = tmp_path / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert stage(config).unit_path(UNIT) != base
