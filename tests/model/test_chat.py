import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.chat import CUT_MARK, Chat, TextTooLong, encode_chat
from model.tokenizer import ByteTokenizer

TOKENIZER = ByteTokenizer()
TIMES = "It lasts."
SYSTEM = "{system\nYou are a helpful assistant.}\n"


def turns(*texts, roles=("human", "gpt")):
    return [{"from": roles[i % 2], "value": text} for i, text in enumerate(texts)]


def encode(conversation, max_tokens=10_000) -> Chat:
    return encode_chat(conversation, TOKENIZER, time_prompt=TIMES, max_tokens=max_tokens)


def readable(ids) -> str:
    """The tokens for the eye: {} for the turns' marks."""
    marks = {TOKENIZER.turn_start_id: b"{", TOKENIZER.turn_end_id: b"}"}
    return b"".join(marks.get(i) or bytes([i]) for i in np.asarray(ids).tolist()).decode()


def with_video(chat: Chat) -> str:
    return f"{readable(chat.ids[: chat.video_at])}VIDEO{readable(chat.ids[chat.video_at :])}"


@pytest.mark.parametrize(
    ("conversation", "text", "spoken"),
    [
        pytest.param(
            turns("<image>\nOn?", "yes"),
            SYSTEM + "{user\nVIDEO\nIt lasts.\nOn?}\n{assistant\nyes}\n",
            "yes}",
            id="question",
        ),
        pytest.param(
            turns("On?", "yes"),
            SYSTEM + "{user\nVIDEO\nIt lasts.\nOn?}\n{assistant\nyes}\n",
            "yes}",
            id="no placeholder",
        ),
        pytest.param(
            turns("On?\n<video>", "yes"),
            SYSTEM + "{user\nOn?\nVIDEO\nIt lasts.}\n{assistant\nyes}\n",
            "yes}",
            id="video after the question",
        ),
        pytest.param(
            turns("a", "b", "<image>c", "<image>d"),
            SYSTEM + "{user\na}\n{assistant\nb}\n{user\nVIDEO\nIt lasts.\nc}\n{assistant\n<image>d}\n",
            "b}<image>d}",
            id="video in the second round",
        ),
        pytest.param(
            [{"from": "system", "value": "S"}, *turns("<image>\na", "b", "<image>c", "<image>d")],
            "{system\nS}\n{user\nVIDEO\nIt lasts.\na}\n{assistant\nb}\n{user\n<image>c}\n{assistant\n<image>d}\n",
            "b}<image>d}",
            id="two rounds",
        ),
        pytest.param(
            turns("A room.", roles=("gpt",)),
            SYSTEM + "{user\nVIDEO\nIt lasts.}\n{assistant\nA room.}\n",
            "A room.}",
            id="no question",
        ),
    ],
)
def test_chat_holds_video_and_times_and_labels_only_what_the_assistant_says(conversation, text, spoken):
    chat = encode(conversation)
    assert with_video(chat) == text
    assert readable(chat.ids[chat.spoken]) == spoken
    assert chat.num_cut == 0


def test_unknown_speaker_is_refused():
    with pytest.raises(ValueError, match="from = 'narrator'"):
        encode([{"from": "narrator", "value": "x"}])


def test_long_question_loses_its_middle():
    question = "".join(f"{n:03d} " for n in range(100))
    whole = encode(turns(question, "yes"))
    cut = encode(turns(question, "yes"), len(whole.ids) - 300)
    # 401 bytes with the line end before it: 101 are left, of which five are the mark.
    kept = f"\n{question[:47]}{CUT_MARK}{question[-48:]}"
    assert with_video(cut) == with_video(whole).replace(f"\n{question}", kept)
    assert (len(cut.ids), cut.num_cut) == (len(whole.ids) - 300, 300)


def test_longest_questions_are_cut_first():
    whole = encode(turns("a" * 200, "b", "short?", "c"))
    cut = encode(turns("a" * 200, "b", "short?", "c"), len(whole.ids) - 100)
    assert "short?" in readable(cut.ids) and "a" * 201 not in readable(cut.ids)
    assert cut.num_cut == 100


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6), st.integers(1, 500))
def test_answers_and_times_are_whole_or_the_chat_is_refused(texts, limit):
    whole = encode(turns(*texts))
    try:
        cut = encode(turns(*texts), limit)
    except TextTooLong as error:
        fixed = len(encode(turns(*("" if i % 2 == 0 else text for i, text in enumerate(texts)))).ids)
        assert fixed > limit and f"max_text_tokens = {limit}" in str(error)
        return
    assert len(cut.ids) <= limit and cut.num_cut == len(whole.ids) - len(cut.ids)
    assert cut.ids[cut.spoken].tolist() == whole.ids[whole.spoken].tolist()
    after_video = cut.ids[cut.video_at :].tolist()
    assert after_video[: len(TIMES) + 1] == list(f"\n{TIMES}".encode())
    assert cut.num_cut == 0 or len(cut.ids) > limit - len(texts)
