"""Builds the sequences of samples. Samples without a target are left out, counted and listed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from model.chat import TextTooLong
from model.config import VideoLMConfig
from model.sequence import TokenSequence, build_sequence
from model.tokenizer import Tokenizer
from schemas.config import ConfigError


@dataclass(kw_only=True)
class Sequences:
    """Holds the sequences of some samples."""

    built: list[TokenSequence] = field(default_factory=list)
    """Sequences with at least one target each."""
    questions_cut: int = 0
    """Number of sequences whose question was cut to `max_text_tokens`."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Ids of the samples without a sequence, with the reason."""


def build_sequences(
    samples: Iterable[Mapping[str, Any]], tokenizer: Tokenizer, config: VideoLMConfig, token_width: int
) -> Sequences:
    """Builds the sequence of each sample that has a target within the limits of `config`.

    Raises ConfigError for a sample whose tokens are not `token_width` wide, as those of all others.
    """
    sequences = Sequences()
    for sample in samples:
        if (width := sample["merged_tokens"].shape[1]) != token_width:
            raise ConfigError(
                f"sample {sample['qa_id']}: its tokens have a width of {width}, those of others {token_width}: the "
                "shards are of two towers. Run `longvid verify`, and build again"
            )
        try:
            sequence = build_sequence(
                sample,
                tokenizer,
                max_visual_tokens=config.max_visual_tokens,
                max_text_tokens=config.max_text_tokens,
                subsampling=config.subsampling,
                time_form=config.time_prompt,
            )
        except TextTooLong as error:
            sequences.left_out[sample["qa_id"]] = str(error)
            continue
        if sequence.num_targets:
            sequences.built.append(sequence)
            sequences.questions_cut += sequence.num_cut > 0
        else:
            sequences.left_out[sample["qa_id"]] = "its conversation has no answer"
    return sequences
