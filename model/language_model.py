"""Loads a local Hugging Face causal language model and reads its config. Nothing is downloaded."""

from pathlib import Path
from typing import Any

from model.untrusted_folder import refuse_remote_code


def load_language_model(folder: str, vocab_size: int) -> Any:
    """Loads the model in `folder` in float32.

    Raises:
        ValueError: the folder holds no model, or the model has fewer embeddings than the tokenizer has ids.
    """
    import torch  # as transformers, it costs seconds to import
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        config=read_config(folder),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
    )
    rows = model.get_input_embeddings().num_embeddings
    if rows < vocab_size:
        raise ValueError(
            f"language_model = {folder!r}: {rows} embeddings for a tokenizer of {vocab_size}; "
            "use the tokenizer that belongs to the model"
        )
    return model


def read_config(folder: str) -> Any:
    """Reads the config of the model in `folder`.

    Raises:
        ValueError: there is no config.json, or transformers cannot use it.
    """
    from transformers import AutoConfig  # costs a second to import

    file = Path(folder) / "config.json"
    if not file.is_file():
        raise ValueError(
            f"language_model = {folder!r}: {file} does not exist; give the folder of a local Hugging Face model"
        )
    refuse_remote_code(folder)
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the library's errors for a damaged config have no common class
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(f"language_model = {folder!r}: its config.json cannot be used: {reason}") from error


def num_positions(folder: str) -> int | None:
    """Returns the number of positions the model supports, including RoPE scaling, or None if its config states none."""
    config = read_config(folder).get_text_config()
    positions = getattr(config, "max_position_embeddings", None)
    rotary = getattr(config, "rope_parameters", None) or {}
    # Qwen2 enables YaRN by its rope parameters alone and leaves `max_position_embeddings` unchanged.
    scaled = int((rotary.get("factor") or 1) * (rotary.get("original_max_position_embeddings") or 0))
    return None if positions is None else max(positions, scaled)


def num_layers(folder: str) -> int:
    """Returns the number of transformer layers of the model in `folder`."""
    return int(read_config(folder).get_text_config().num_hidden_layers)
