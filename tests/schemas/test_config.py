"""A bad config names the field, the value and the remedy."""

import pytest
from pydantic import Field

from schemas.config import ConfigError, StageConfig, TowerConfig, parse


class Example(StageConfig):
    """Stands for any stage's config."""

    batch_frames: int = Field(64, ge=1)
    span: tuple[int, int] = (1, 2)
    tower: TowerConfig = TowerConfig()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"batch_frame": 3}, ["batch_frame = 3", "unknown key", "batch_frames"]),
        ({"tower": {"modl": "x"}}, ["tower.modl", "unknown key", "model", "pretrained"]),
        ({"batch_frames": "64"}, ["batch_frames = '64'", "valid integer"]),
        ({"batch_frames": 0}, ["batch_frames = 0", "greater than or equal to 1"]),
        ({"span": [1]}, ["span.1", "required"]),
        ({"resources": {"cpus": -1.0}}, ["resources.cpus = -1.0"]),
    ],
)
def test_errors_name_field_value_and_remedy(values, words):
    with pytest.raises(ConfigError) as error:
        parse(Example, values)
    for word in words:
        assert word in str(error.value)


def test_all_errors_at_once():
    with pytest.raises(ConfigError) as error:
        parse(Example, {"batch_frames": 0, "nonsense": 1})
    assert len(str(error.value).splitlines()) == 2


def test_a_yaml_list_is_a_tuple():
    assert parse(Example, {"span": [3, 4]}).span == (3, 4)


def test_where_a_stage_runs_does_not_change_what_it_is():
    wide = parse(Example, {"resources": {"cpus": 8.0, "workers": [4, 9]}})
    assert wide.semantic() == Example().semantic()
    assert parse(Example, {"batch_frames": 65}).semantic() != Example().semantic()
