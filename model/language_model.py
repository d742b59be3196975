"""A local Hugging Face causal language model: its config, its positions and its weights. Nothing is downloaded."""

from pathlib import Path
from typing import Any

from model.untrusted_folder import refuse_remote_code


def load_language_model(folder: str, vocab_size: int) -> Any:
    """The model in `folder`, float32.

    Raises ValueError where there is none, or where it has fewer embeddings than the tokenizer has ids.
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
    """The model's config, of the library's class. Raises ValueError where the folder holds no config that it knows."""
    from transformers import AutoConfig  # costs a second to import

    file = Path(folder) / "config.json"
    if not file.is_file():
        raise ValueError(
            f"language_model = {folder!r}: {file} is no file; give the folder of a local Hugging Face model"
        )
    refuse_remote_code(folder)
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the library's errors for a damaged config have no common class
        reason = str(error).splitlines()[0]
        raise ValueError(f"language_model = {folder!r}: its config.json cannot be used: {reason}") from error


def num_positions(folder: str) -> int | None:
    """Positions that the model in `folder` was made for, rotary scaling included; None where it states no number."""
    config = read_config(folder).get_text_config()
    positions = getattr(config, "max_position_embeddings", None)
    rotary = getattr(config, "rope_parameters", None) or {}
    # YaRN as Qwen2's authors advise it scales the positions and leaves `max_position_embeddings` as it was.
    scaled = int((rotary.get("factor") or 1) * (rotary.get("original_max_position_embeddings") or 0))
    return None if positions is None else max(positions, scaled)


def num_layers(folder: str) -> int:
    """Transformer layers of the model in `folder`."""
    return read_config(folder).get_text_config().num_hidden_layers
