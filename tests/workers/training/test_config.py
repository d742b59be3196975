import pytest
import transformers

from schemas.config import ConfigError, parse
from workers.training.config import TrainerConfig, check_model


def config(**model) -> TrainerConfig:
    return parse(TrainerConfig, {"model": model})


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([[1, 0.5], [4, 0.2]], r"train.model.visual_dropout = \[\(1, 0.5\), \(4, 0.2\)\]: .* layers below 4"),
        ([[1, 1.5, "attention"]], r"visual_dropout = .*1.5.* ratios in \(0, 1\]"),
    ],
    ids=["layer", "ratio"],
)
def test_schedule_that_does_not_fit_the_model_is_refused(tmp_path, stages, message):
    transformers.LlamaConfig(num_hidden_layers=4, max_position_embeddings=32_768).save_pretrained(tmp_path)
    for model in ({"layers": 4}, {"language_model": str(tmp_path), "layers": 32}):
        check_model(config(visual_dropout=[[0, 0.7, "attention"], [3, 0.2]], **model))
        with pytest.raises(ConfigError, match=message):
            check_model(config(visual_dropout=stages, **model))


def test_folder_without_a_language_model_is_named(tmp_path):
    with pytest.raises(ConfigError, match=f"train.model.language_model = '{tmp_path}/none': .* give the folder"):
        check_model(config(language_model=f"{tmp_path}/none"))
