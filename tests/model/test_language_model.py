"""What is said of a folder that holds no usable language model."""

import re

import pytest

from model import language_model


def test_a_missing_config_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"config\.json does not exist; give the folder of a local Hugging Face model"):
        language_model.read_config(str(tmp_path))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(KeyError("model_type"), "'model_type'"), (RuntimeError(), "RuntimeError"), (OSError("a\nb"), "a")],
)
def test_any_error_of_the_library_is_one_line(tmp_path, monkeypatch, error, reason):
    def fail(*args: object, **options: object) -> None:
        raise error

    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", fail)
    with pytest.raises(ValueError, match=re.escape(f"its config.json cannot be used: {reason}")) as raised:
        language_model.read_config(str(tmp_path))
    assert "\n" not in str(raised.value)
