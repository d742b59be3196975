import pytest
import torch
import torch.nn.functional as F
import transformers

from model.config import VideoLMConfig, check_positions
from model.sequence import IGNORED, build_sequence, collate
from model.tokenizer import ByteTokenizer
from model.video_lm import VideoLM
from model.visual_layout import KEYFRAME, MERGED, NEWLINE, TEXT
from tests.tiny_samples import TINY, WIDTH, tiny_sample

TOKENIZER = ByteTokenizer()


def make_model(**settings) -> VideoLM:
    torch.manual_seed(0)
    config = VideoLMConfig(**{**vars(TINY), **settings})
    return VideoLM(config, token_width=WIDTH, vocab_size=TOKENIZER.vocab_size)


def sequences(numbers, **settings):
    return [
        build_sequence(tiny_sample(n, **settings), TOKENIZER, max_visual_tokens=1000, max_text_tokens=1000)
        for n in numbers
    ]


def batch_of(numbers, **settings):
    return collate(sequences(numbers, **settings), TOKENIZER.pad_id)


def naive_embed(model, sequence):
    """Token by token."""
    keyframe_tokens, merged_tokens = iter(sequence.keyframe_tokens.float()), iter(sequence.merged_tokens.float())
    embeds = []
    for i, kind in zip(sequence.ids_L, sequence.kinds_L.tolist(), strict=True):
        if kind == TEXT:
            embeds.append(model.language_model.get_input_embeddings()(i))
        elif kind == KEYFRAME:
            embeds.append(model.keyframe_projector(next(keyframe_tokens)))
        elif kind == MERGED:
            embeds.append(model.merged_projector(next(merged_tokens)))
        else:
            assert kind == NEWLINE
            embeds.append(model.newline)
    return torch.stack(embeds)


def test_loss_and_gradients_are_those_of_one_sequence_after_the_other():
    model, both = make_model(), [*sequences([1], num_frames=12), *sequences([2])]
    batch = collate(both, TOKENIZER.pad_id)
    total = torch.zeros(())
    for row, sequence in enumerate(both):
        embeds = naive_embed(model, sequence)
        torch.testing.assert_close(model.embed(batch)[row, : len(embeds)], embeds)
        logits = model.language_model(inputs_embeds=embeds[None]).logits[0]
        total += F.cross_entropy(logits[:-1], sequence.labels_L[1:], ignore_index=IGNORED, reduction="sum")
    # Padding of the shorter one changes nothing: so the sum over single sequences is the batch's.
    loss = model(batch)
    torch.testing.assert_close(loss, total)
    parameters = dict(model.named_parameters())
    expected = torch.autograd.grad(total, list(parameters.values()))
    actual = torch.autograd.grad(loss, list(parameters.values()))
    for name, a, b in zip(parameters, actual, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


def test_answer_depends_on_every_kind_of_token():
    model, batch = make_model(), batch_of([1])
    loss = model(batch)
    for name in ("keyframe_tokens", "merged_tokens"):
        changed = batch.to(torch.device("cpu"))
        getattr(changed, name)[0] += 3
        assert abs(model(changed) - loss) > 1e-6, name
        getattr(changed, name)[0] -= 3
    with torch.no_grad():
        model.newline += 1
    assert abs(model(batch) - loss) > 1e-6


@pytest.mark.parametrize(
    ("settings", "unused"),
    [({"num_keyframes": 7}, "merged_projector"), ({"num_keyframes": 0}, "keyframe_projector")],
    ids=["keyframes only", "merged only"],
)
def test_every_parameter_has_a_gradient_whatever_the_batch_holds(settings, unused):
    # Ranks whose batches differ in kind would otherwise wait for each other for ever.
    model = make_model()
    model(batch_of([1, 2], num_frames=7, **settings)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert name.startswith(unused) == (parameter.grad == 0).all(), name


def test_local_language_model_is_loaded_with_its_weights(tmp_path):
    torch.manual_seed(1)
    sizes = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    saved = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(vocab_size=300, num_key_value_heads=2, **sizes))
    saved.save_pretrained(tmp_path)
    model = make_model(language_model=str(tmp_path))
    for name, value in saved.state_dict().items():
        assert torch.equal(model.language_model.state_dict()[name], value), name
    assert model.newline.shape == (24,)
    assert model(batch_of([1])).isfinite()


def test_language_model_with_too_few_embeddings_is_refused(tmp_path):
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.Qwen2Config(vocab_size=100, num_key_value_heads=2, **sizes)
    transformers.Qwen2ForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="100 embeddings for a tokenizer of 259"):
        make_model(language_model=str(tmp_path))


YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 300}


@pytest.mark.parametrize(
    ("kind", "settings", "positions"),
    [
        ("gpt2", {"n_positions": 1199}, 1199),
        ("llama", {"max_position_embeddings": 1199}, 1199),
        ("qwen2", {"max_position_embeddings": 300}, 300),
    ],
    ids=["GPT-2", "Llama", "Qwen2"],
)
def test_language_model_with_fewer_positions_than_tokens_is_refused(tmp_path, kind, settings, positions):
    transformers.AutoConfig.for_model(kind, **settings).save_pretrained(tmp_path)
    settings = {"language_model": str(tmp_path), "max_visual_tokens": 1000, "max_text_tokens": 200}
    with pytest.raises(
        ValueError, match=rf"it has {positions} positions, and .* = 1000 and .* = 200 .* of 1200 tokens"
    ):
        check_positions(VideoLMConfig(**settings))
    with pytest.raises(ValueError, match=f"{positions} positions"):
        make_model(**settings)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("gpt2", {"n_positions": 1200}),
        ("qwen2", {"max_position_embeddings": 300, "rope_scaling": YARN}),
        ("llama", {"max_position_embeddings": 1200}),
    ],
    ids=["GPT-2", "Qwen2 with YaRN", "Llama"],
)
def test_language_model_with_enough_positions_is_accepted(tmp_path, kind, settings):
    transformers.AutoConfig.for_model(kind, **settings).save_pretrained(tmp_path)
    check_positions(VideoLMConfig(language_model=str(tmp_path), max_visual_tokens=1000, max_text_tokens=200))


def test_model_of_its_own_has_a_position_for_every_token():
    model = make_model(max_visual_tokens=1000, max_text_tokens=200)
    assert model.language_model.config.max_position_embeddings == 1200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "config.json does not exist; give the folder"),
        ("{", "config.json cannot be used"),
        ('{"model_type": "unheard-of"}', "config.json cannot be used: .*unheard-of"),
        ('{"model_type": "qwen2", "max_position_embeddings": "many"}', "config.json cannot be used"),
    ],
    ids=["missing", "no JSON", "unknown type", "wrong type"],
)
def test_folder_without_a_usable_config_is_named(tmp_path, text, message):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        check_positions(VideoLMConfig(language_model=str(tmp_path)))
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": 0}, "layers = 0"),
        ({"width": 100, "heads": 8}, "width = 100: must be a multiple of 2 [*] heads = 16"),
    ],
    ids=["layers", "width"],
)
def test_config_names_the_field_and_the_value(settings, message):
    with pytest.raises(ValueError, match=message):
        VideoLMConfig(**settings)
