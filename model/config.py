"""Sizes of the video language model, and what can be checked of them without loading it: imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from model.language_model import num_positions
from model.time_prompt import TimePrompt

Subsampling = Literal["even", "clusters"]

Choice = Literal["uniform", "attention"]
DropStage = tuple[int, float] | tuple[int, float, Choice]
"""`(layer, ratio, choice)`: before that layer (from 0), `ratio` of a sequence's original visual tokens are left, chosen
evenly or by attention. Without a choice: as published, `uniform` for the first stage and `attention` for all others."""


@dataclass(frozen=True, kw_only=True)
class VideoLMConfig:
    """Sizes of the model. A small Qwen2 with random weights, unless `language_model` names one."""

    language_model: str = ""
    """Folder of a local Hugging Face causal language model of ChatML form; its sizes then hold, not those below."""
    width: int = 128
    """Width of the language model, a multiple of 2 * `heads`."""
    layers: int = 4
    """Transformer layers."""
    heads: int = 4
    """Attention heads, all with keys and values of their own."""
    feedforward_width: int = 384
    """Inner width of a layer's gated feed-forward."""
    max_visual_tokens: int = 16_384
    """Above it merged tokens are thinned; keyframes stay whole."""
    subsampling: Subsampling = "even"
    """`even`: every n-th merged token stays. `clusters`: like neighbours are joined, so what is short is not lost."""
    max_text_tokens: int = 2_048
    """Above it the questions of a sample lose their middle; its answers and the time prompt are never cut."""
    time_prompt: TimePrompt = "short"
    """How a sequence tells the time: `short`, the duration and the number of frames; `long`, each frame's time too."""
    visual_dropout: tuple[DropStage, ...] = ()
    """`(layer, ratio, choice)`: before that layer, that share of the visual tokens is left, chosen `uniform` (evenly)
    or by `attention`. Without a choice: evenly in the first stage, by attention in all others."""

    @property
    def max_sequence_tokens(self) -> int:
        """The most tokens of a sequence, visual ones and text."""
        return self.max_visual_tokens + self.max_text_tokens

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "feedforward_width", "max_visual_tokens", "max_text_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 1")
        if self.width % (2 * self.heads):
            raise ValueError(f"width = {self.width}: must be a multiple of 2 * heads = {2 * self.heads}")


def check_positions(config: VideoLMConfig) -> None:
    """Refuses a language model with fewer positions than a sequence may have tokens. Reads its config alone.

    Raises ValueError that names both numbers. The built-in model is made with as many positions as the limits need.
    """
    if not config.language_model:
        return
    positions, most = num_positions(config.language_model), config.max_sequence_tokens
    if positions is not None and positions < most:
        raise ValueError(
            f"language_model = {config.language_model!r}: it has {positions} positions, and max_visual_tokens = "
            f"{config.max_visual_tokens} and max_text_tokens = {config.max_text_tokens} allow sequences of {most} "
            f"tokens; lower them to {positions} together, or use a model with more positions"
        )


def check_stages(stages: Sequence[DropStage], num_layers: int) -> None:
    """Raises ValueError for a layer that is not there or not in order, a ratio outside (0, 1], an unknown choice."""
    layers, filled = [stage[0] for stage in stages], [with_choice(0, *stage)[1] for stage in stages]
    valid = all(0 < ratio <= 1 and choice in ("uniform", "attention") for ratio, choice in filled)
    if layers != sorted({*layers} & {*range(num_layers)}) or not valid:
        raise ValueError(
            f"visual_dropout = {[*stages]}: give (layer, ratio) or (layer, ratio, choice) with ascending layers "
            f"below {num_layers}, ratios in (0, 1] and uniform or attention as the choice"
        )


def with_choice(number: int, layer: int, ratio: float, choice: str = "") -> tuple[int, tuple[float, str]]:
    """A stage as its layer, and its ratio and choice; `number` is its place among the stages."""
    return layer, (ratio, choice or ("attention" if number else "uniform"))
