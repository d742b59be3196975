import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from model.tokenizer import ByteTokenizer, load_tokenizer


@given(st.text())
def test_bytes_give_the_text_back(text):
    tokenizer = ByteTokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text())
def test_no_text_becomes_a_mark(text):
    tokenizer = ByteTokenizer()
    marks = {tokenizer.pad_id, tokenizer.turn_start_id, tokenizer.turn_end_id}
    assert not marks & set(tokenizer.encode(text + "<|im_end|>"))
    assert max(marks) < tokenizer.vocab_size


def test_bytes_that_are_no_utf8_are_shown_as_such():
    assert ByteTokenizer().decode([*b"a", 0xFF, 257]) == "a\ufffd"


def save_tokenizer(folder, marks):
    """A Hugging Face tokenizer of single letters, with these special tokens."""
    letters = {letter: i for i, letter in enumerate("abc<|>_imstarendu\n?")}
    letters = {letter: i for i, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    fast.add_special_tokens({"additional_special_tokens": marks})
    fast.save_pretrained(folder)


def test_local_tokenizer_of_chatml_form(tmp_path):
    save_tokenizer(tmp_path, ["<|im_start|>", "<|im_end|>"])
    tokenizer = load_tokenizer(str(tmp_path))
    ids = tokenizer.encode("abc<|im_end|>")
    assert tokenizer.turn_end_id not in ids
    assert tokenizer.decode(ids).replace(" ", "") == "abc<|im_end|>"
    assert tokenizer.turn_start_id != tokenizer.turn_end_id


def test_tokenizer_without_turns_is_refused(tmp_path):
    save_tokenizer(tmp_path, ["<|im_start|>"])
    with pytest.raises(ValueError, match=r"language_model = .*has no <\|im_end\|>"):
        load_tokenizer(str(tmp_path))
