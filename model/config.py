"""Sizes of the video language model, and the checks that need neither torch nor the model's weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from model.language_model import num_positions
from model.time_prompt import TimePrompt

Subsampling = Literal["even", "clusters"]

Choice = Literal["uniform", "attention"]
DropStage = tuple[int, float] | tuple[int, float, Choice]
"""`(layer, ratio, choice)`: before `layer` (counted from 0), the sequence keeps `ratio` of its original visual tokens,
chosen uniformly or by attention. If `choice` is omitted, the published schedule applies: `uniform` for the first stage
and `attention` for all others.
"""


@dataclass(frozen=True, kw_only=True)
class VideoLMConfig:
    """Sets the sizes of the video language model.

    It is a small Qwen2 with random weights, or an existing model named by `language_model`.
    """

    language_model: str = ""
    """Folder of a local Hugging Face causal language model that uses ChatML. Its sizes replace those below."""
    width: int = 128
    """Hidden size of the language model; a multiple of 2 * `heads`."""
    layers: int = 4
    """Number of transformer layers."""
    heads: int = 4
    """Number of attention heads. There are as many key and value heads (no grouped-query attention)."""
    feedforward_width: int = 384
    """Inner width of the gated feed-forward layers."""
    max_visual_tokens: int = 16_384
    """Maximum number of visual tokens per sequence. Above it, merged tokens are subsampled; keyframes are always kept
    whole.
    """
    subsampling: Subsampling = "even"
    """How merged tokens are reduced to the limit. `even`: every n-th token is kept. `clusters`: similar neighbours are
    averaged, so short events are not lost.
    """
    max_text_tokens: int = 2_048
    """Maximum number of text tokens per sequence. Above it, questions lose their middle; answers and the time prompt
    are never cut.
    """
    time_prompt: TimePrompt = "short"
    """Form of the time prompt. `short`: duration and number of frames. `long`: the time of each frame as well."""
    visual_dropout: tuple[DropStage, ...] = ()
    """Progressive visual dropout: a list of `(layer, ratio, choice)`. Before `layer`, that ratio of the visual tokens
    is kept, chosen `uniform` or by `attention`. If `choice` is omitted, the first stage is uniform and all others use
    attention.
    """

    @property
    def max_sequence_tokens(self) -> int:
        """Returns the maximum number of tokens per sequence, visual and text tokens together."""
        return self.max_visual_tokens + self.max_text_tokens

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "feedforward_width", "max_visual_tokens", "max_text_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 1")
        if self.width % (2 * self.heads):
            raise ValueError(f"width = {self.width}: must be a multiple of 2 * heads = {2 * self.heads}")


def check_positions(config: VideoLMConfig) -> None:
    """Checks that a language model has enough positions for the longest sequence. Reads only its config.

    The built-in model is always created with enough positions.

    Raises:
        ValueError: the model has fewer positions; the message contains both numbers.
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
    """Checks the stages of visual dropout.

    Raises:
        ValueError: layers are not ascending or do not exist, a ratio is outside (0, 1], or a choice is unknown.
    """
    layers, filled = [stage[0] for stage in stages], [with_choice(0, *stage)[1] for stage in stages]
    valid = all(0 < ratio <= 1 and choice in ("uniform", "attention") for ratio, choice in filled)
    if layers != sorted({*layers} & {*range(num_layers)}) or not valid:
        raise ValueError(
            f"visual_dropout = {[*stages]}: give (layer, ratio) or (layer, ratio, choice) with ascending layers "
            f"below {num_layers}, ratios in (0, 1] and uniform or attention as the choice"
        )


def with_choice(number: int, layer: int, ratio: float, choice: str = "") -> tuple[int, tuple[float, str]]:
    """Returns a stage as (layer, (ratio, choice)), with the published choice for stage `number` if it has none."""
    return layer, (ratio, choice or ("attention" if number else "uniform"))
