"""Encodes a conversation as ChatML token ids. If it is too long, questions are truncated; answers never are."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.tokenizer import Tokenizer

SYSTEM = "You are a helpful assistant."
IMAGE = "<image>"
PLACEHOLDER = re.compile("<image>|<video>")
CUT_MARK = " ... "
"""Replaces the tokens removed from the middle of a question."""


class TextTooLong(ValueError):
    """The part of a conversation that must not be truncated exceeds the token limit."""


@dataclass(frozen=True, kw_only=True)
class Chat:
    """Holds an encoded conversation of L tokens."""

    ids: np.ndarray
    """[L] int64"""
    spoken: np.ndarray
    """[L] bool, true for the assistant's text, including the end-of-turn mark."""
    video_at: int
    """Index at which the visual tokens are inserted."""
    num_cut: int
    """Number of question tokens that were removed."""


@dataclass(frozen=True, kw_only=True)
class _Piece:
    ids: list[int]
    spoken: bool = False
    may_be_cut: bool = False


def encode_chat(turns: Sequence[Mapping[str, str]], tokenizer: Tokenizer, *, time_prompt: str, max_tokens: int) -> Chat:
    """Encodes a conversation, with the time prompt after the video.

    The video is inserted at the first `<image>` or `<video>` placeholder of a user turn, or before the first question
    if there is none. If the conversation exceeds `max_tokens`, the longest questions lose their middle.

    Args:
        turns: turns in LLaVA form, each with `from` and `value`.
        tokenizer: see `model.tokenizer`.
        time_prompt: text that states the times of the frames, see `model.time_prompt`.
        max_tokens: maximum number of text tokens; visual tokens do not count.

    Raises:
        TextTooLong: answers, time prompt, system turn and ChatML marks alone exceed `max_tokens`.
        ValueError: a turn has an unknown speaker.
    """
    pieces, video_piece = _pieces(turns, tokenizer, time_prompt)
    cut = _cut(pieces, max_tokens, tokenizer.encode(CUT_MARK))
    lengths = [len(piece.ids) for piece in cut]
    return Chat(
        ids=np.array([i for piece in cut for i in piece.ids]),
        spoken=np.repeat([piece.spoken for piece in cut], lengths),
        video_at=sum(lengths[:video_piece]),
        num_cut=sum(len(piece.ids) for piece in pieces) - sum(lengths),
    )


def _pieces(turns: Sequence[Mapping[str, str]], tokenizer: Tokenizer, time_prompt: str) -> tuple[list[_Piece], int]:
    """Splits the conversation into pieces; also returns the index of the piece that follows the video."""
    pieces: list[_Piece] = []
    video_piece = 0
    for role, text in _with_video(turns):
        pieces.append(_Piece(ids=[tokenizer.turn_start_id, *tokenizer.encode(f"{role}\n")]))
        if role == "user" and not video_piece and (placeholder := PLACEHOLDER.search(text)):
            before, text = text[: placeholder.start()], text[placeholder.end() :]
            pieces.append(_Piece(ids=tokenizer.encode(before), may_be_cut=True))
            video_piece = len(pieces)
            line_end = "\n" if text and not text.startswith("\n") else ""
            pieces.append(_Piece(ids=tokenizer.encode(f"\n{time_prompt}{line_end}")))
        spoken = role == "assistant"
        pieces.append(_Piece(ids=tokenizer.encode(text), spoken=spoken, may_be_cut=role == "user"))
        pieces.append(_Piece(ids=[tokenizer.turn_end_id], spoken=spoken))
        pieces.append(_Piece(ids=tokenizer.encode("\n")))
    return pieces, video_piece


def _cut(pieces: list[_Piece], max_tokens: int, mark: list[int]) -> list[_Piece]:
    """Shortens the pieces that may be cut to the largest common length at which the conversation fits."""
    fixed = sum(len(piece.ids) for piece in pieces if not piece.may_be_cut)
    if fixed > max_tokens:
        raise TextTooLong(
            f"answers, time prompt and ChatML marks need {fixed} tokens, above max_text_tokens = {max_tokens}"
        )
    lengths = [len(piece.ids) for piece in pieces if piece.may_be_cut]

    def total(most: int) -> int:
        return sum(min(length, most) for length in lengths)

    most = bisect_right(range(1, max(lengths, default=0) + 1), max_tokens - fixed, key=total)
    return [replace(p, ids=_without_middle(p.ids, most, mark)) if p.may_be_cut else p for p in pieces]


def _without_middle(ids: list[int], most: int, mark: list[int]) -> list[int]:
    if len(ids) <= most:
        return ids
    mark = mark[:most]
    kept = most - len(mark)
    return [*ids[: kept - kept // 2], *mark, *ids[len(ids) - kept // 2 :]]


def _with_video(turns: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """Converts turns to (role, text): adds a system turn, and a placeholder for the video if no user turn has one."""
    roles = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
    for turn in turns:
        if turn["from"] not in roles:
            raise ValueError(f"conversations: from = {turn['from']!r}; use one of {', '.join(roles)}")
    chat = [(roles[turn["from"]], turn["value"]) for turn in turns]
    if not chat or chat[0][0] != "system":
        chat.insert(0, ("system", SYSTEM))
    if not any(role == "user" and PLACEHOLDER.search(text) for role, text in chat):
        first = next((i for i, (role, _) in enumerate(chat) if role == "user"), None)
        if first is None:
            chat.insert(1, ("user", IMAGE))
        else:
            chat[first] = ("user", f"{IMAGE}\n{chat[first][1]}")
    return chat
