import pytest
import torch
import transformers

from model.ops.hico import naive
from model.progressive import ProgressiveDropout
from model.sequence import IGNORED, TokenBatch, build_sequence, collate
from tests.model.test_video_lm import TOKENIZER, batch_of, make_model
from tests.tiny_samples import tiny_sample

LENGTH, WIDTH = 20, 32


def decoder(layers=3, **settings):
    torch.manual_seed(0)
    sizes = {"hidden_size": WIDTH, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2}
    return transformers.Qwen2Model(
        transformers.Qwen2Config(vocab_size=10, num_hidden_layers=layers, **sizes, **settings)
    )


def case(length=LENGTH, seed=1):
    """Two of text, `length - 6` visual, four of text of which the last three query."""
    embeds = torch.randn(1, length, WIDTH, generator=torch.Generator().manual_seed(seed))
    place = torch.arange(length)[None]
    visual, asked_by = (place >= 2) & (place < length - 4), place >= length - 3
    return embeds, visual, torch.ones_like(visual), asked_by


def by_hand(model, stages, embeds, visual, asked_by):
    """One sequence, with lists of positions and the loop references."""
    hidden, left, original = embeds[0], list(range(embeds.shape[1])), int(visual.sum())
    at = {layer: (ratio, choice) for layer, ratio, choice in stages}
    for number, layer in enumerate(model.layers):
        rotary = model.rotary_emb(hidden[None], torch.arange(len(left))[None])
        if number in at:
            ratio, choice = at[number]
            seen = [p for p in left if visual[0, p]]
            keep = max(1, int(ratio * original))
            if choice == "uniform":
                kept = {seen[i] for i in naive.uniform_positions(len(seen), keep)}
            else:
                q, k = rotated(layer, hidden, rotary)
                flags = [torch.stack([flag[0, p] for p in left]).numpy() for flag in (visual, asked_by)]
                scores = naive.attention_scores(q.numpy(), k.numpy(), *flags)
                ranked = sorted(range(len(left)), key=lambda i: -scores[i] if visual[0, left[i]] else 1.0)
                kept = {left[i] for i in ranked[:keep]}
            places = [i for i, p in enumerate(left) if p in kept or not visual[0, p]]
            hidden, left = hidden[places], [left[i] for i in places]
            rotary = model.rotary_emb(hidden[None], torch.arange(len(left))[None])
        hidden = layer(hidden[None], attention_mask=None, position_embeddings=rotary)[0]
    return model.norm(hidden), left


def rotated(layer, hidden, rotary):
    """Queries and keys `[L, heads, d]`, turned pair by pair."""
    normed, cos, sin = layer.input_layernorm(hidden), *(part[0] for part in rotary)
    turned = []
    for project in (layer.self_attn.q_proj, layer.self_attn.k_proj):
        x = project(normed).unflatten(1, (-1, layer.self_attn.head_dim))
        half = x.shape[2] // 2
        back = torch.cat([-x[..., half:], x[..., :half]], dim=2)
        turned.append(x * cos[:, None] + back * sin[:, None])
    return turned


@torch.no_grad()
@pytest.mark.parametrize(
    "stages",
    [
        [],
        [(0, 0.5, "uniform")],
        [(0, 0.5, "attention")],
        [(1, 0.5, "uniform"), (2, 0.25, "attention")],
        [(0, 0.9, "attention"), (1, 0.3, "uniform"), (2, 0.1, "attention")],
        [(0, 0.6, "uniform"), (2, 0.2, "uniform")],
    ],
    ids=str,
)
def test_agrees_with_the_layers_run_by_hand(stages):
    model, (embeds, visual, real, asked_by) = decoder(), case()
    dropout = ProgressiveDropout(model, stages)
    dropped = dropout(embeds, visual, real, asked_by)
    hidden, left = by_hand(model, stages, embeds, visual, asked_by)
    assert dropped.sources[0].tolist() == left
    torch.testing.assert_close(dropped.hidden[0], hidden)
    assert dropout.by_attention == any(choice == "attention" for *_, choice in stages)


@torch.no_grad()
def test_stages_without_a_choice_are_as_published():
    inputs = case()
    pairs = ProgressiveDropout(decoder(), [(0, 0.75), (2, 0.25)])(*inputs)
    named = ProgressiveDropout(decoder(), [(0, 0.75, "uniform"), (2, 0.25, "attention")])(*inputs)
    assert torch.equal(pairs.sources, named.sources)


@torch.no_grad()
def test_with_all_tokens_kept_it_is_the_decoder():
    model, (embeds, visual, real, asked_by) = decoder(), case()
    dropped = ProgressiveDropout(model, [(1, 1.0), (2, 1.0)])(embeds, visual, real, asked_by)
    torch.testing.assert_close(dropped.hidden, model(inputs_embeds=embeds).last_hidden_state)


@torch.no_grad()
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_sequence_in_a_batch_is_as_if_alone(attention):
    model = decoder(attn_implementation=attention)
    cases = [case(LENGTH), case(11, seed=2)]
    width = max(x.shape[1] for x, *_ in cases)
    padded = [
        torch.cat([torch.nn.functional.pad(x, (0, 0) * (x.ndim - 2) + (0, width - x.shape[1])) for x in column])
        for column in zip(*cases, strict=True)
    ]
    run = ProgressiveDropout(model, [(1, 0.6), (2, 0.2)])
    together = run(*padded)
    for row, alone in enumerate(run(*one) for one in cases):
        length = alone.sources.shape[1]
        assert torch.equal(together.sources[row, :length], alone.sources[0])
        assert (together.sources[row, length:] == -1).all()
        torch.testing.assert_close(together.hidden[row, :length], alone.hidden[0])


def test_the_model_trains_with_fewer_visual_tokens():
    whole, dropping = make_model(), make_model(visual_dropout=((1, 0.4),))
    batch = batch_of([1, 2], num_frames=30)
    loss = dropping(batch)
    assert loss.isfinite()
    assert loss != whole(batch)
    loss.backward()
    assert all(parameter.grad is not None for parameter in dropping.parameters())
    kept_all = make_model(visual_dropout=((1, 1.0),))
    torch.testing.assert_close(kept_all(batch), whole(batch))


ATTENTION = ((0, 0.5, "attention"), (1, 0.2, "attention"))


def conversation(*turns, frames=40) -> TokenBatch:
    speakers = ("human", "gpt") * len(turns)
    sample = tiny_sample(1, num_frames=frames) | {
        "conversations": [{"from": who, "value": text} for who, text in zip(speakers, turns, strict=False)]
    }
    return collate([build_sequence(sample, TOKENIZER, max_visual_tokens=1000, max_text_tokens=1000)], TOKENIZER.pad_id)


def target_logits(model, batch) -> list[torch.Tensor]:
    """Logits at each target, in the order of the sequence."""
    targets = torch.nn.functional.pad(batch.labels_BL[:, 1:], (0, 1), value=IGNORED)
    hidden, targets = model._read(batch, targets)
    return list(model.language_model.get_output_embeddings()(hidden[targets != IGNORED]))


@torch.no_grad()
@pytest.mark.parametrize(
    ("turns", "changed", "same"),
    [
        pytest.param(("On?", "yes, it is on"), ("On?", "yes, it was ON"), len("yes, it ") + 1, id="answer"),
        pytest.param(
            ("On?", "yes", "Is it off?", "no"), ("On?", "yes", "What is red?", "no"), len("yes") + 1, id="next question"
        ),
        pytest.param(
            ("On?", "yes it is", "Off?", "no"), ("On?", "yes", "Off?", "no"), len("yes") + 1, id="two answers"
        ),
    ],
)
def test_no_logit_depends_on_what_comes_after_it(turns, changed, same):
    for seed in range(5):
        model = make_model(visual_dropout=ATTENTION)
        torch.manual_seed(seed)
        for parameter in model.parameters():  # so that attention is far from even
            parameter.add_(0.3 * torch.randn_like(parameter))
        before, after = (target_logits(model, conversation(*words)) for words in (turns, changed))
        for a, b in zip(before[:same], after[:same], strict=True):
            torch.testing.assert_close(a, b)


@torch.no_grad()
def test_each_answer_of_a_conversation_is_given_as_if_it_were_the_last():
    model = make_model(visual_dropout=ATTENTION)
    turns = ("On?", "yes", "Is it off?", "no", "What is red?", "a fish")
    logits = target_logits(model, conversation(*turns))
    assert len(logits) == len("yes") + len("no") + len("a fish") + 3
    for end in (2, 4):
        alone = target_logits(model, conversation(*turns[:end]))
        for a, b in zip(logits, alone, strict=False):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("stages", [(), ((1, 0.4, "uniform"),), ATTENTION], ids=["none", "uniform", "attention"])
def test_batch_without_labels_has_no_loss_and_gradients_of_zero(stages):
    model, batch = make_model(visual_dropout=stages), conversation("On?")
    assert batch.num_targets == 0
    loss = model(batch)
    loss.backward()
    assert loss == 0
    assert all((parameter.grad == 0).all() for parameter in model.parameters())


def test_hidden_states_that_are_not_finite_are_an_error():
    model = make_model(visual_dropout=ATTENTION)
    with torch.no_grad():
        model.newline.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="NaN"):
        model(batch_of([1]))


@pytest.mark.parametrize(
    "stages", [[(3, 0.5)], [(1, 0.5), (0, 0.2)], [(1, 0.5), (1, 0.2)], [(0, 0.0)], [(0, 1.5)], [(0, 0.5, "x")]], ids=str
)
def test_a_wrong_schedule_is_named(stages):
    with pytest.raises(ValueError, match="ascending layers below 3"):
        ProgressiveDropout(decoder(), stages)


def test_a_decoder_of_another_form_is_refused():
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "head_dim": 4}
    other = transformers.Qwen3Model(transformers.Qwen3Config(vocab_size=10, **sizes))
    with pytest.raises(ValueError, match="Qwen3Model is no Qwen2 or Llama decoder"):
        ProgressiveDropout(other, [(0, 0.5)])
