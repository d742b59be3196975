import pytest
import torch
from transformers import Qwen2Config, Qwen2Model, Qwen3Config, Qwen3Model

from model.progressive import ProgressiveDropout
from tests.model.ops import reference
from tests.model.test_video_lm import batch_of, make_model

LENGTH, WIDTH = 20, 32


def decoder(layers=3, **settings):
    torch.manual_seed(0)
    sizes = {"hidden_size": WIDTH, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2}
    return Qwen2Model(Qwen2Config(vocab_size=10, num_hidden_layers=layers, **sizes, **settings))


def case(length=LENGTH, seed=1):
    """Two of text, `length - 6` visual, four of text of which the last three ask."""
    embeds = torch.randn(1, length, WIDTH, generator=torch.Generator().manual_seed(seed))
    place = torch.arange(length)[None]
    visual, asking = (place >= 2) & (place < length - 4), place >= length - 3
    return embeds, visual, torch.ones_like(visual), asking


def by_hand(model, drops, embeds, visual, asking):
    """One sequence, with lists of positions and the loop references."""
    hidden, left, original = embeds[0], list(range(embeds.shape[1])), int(visual.sum())
    first = True
    for number, layer in enumerate(model.layers):
        rotary = model.rotary_emb(hidden[None], torch.arange(len(left))[None])
        if number in drops:
            seen = [p for p in left if visual[0, p]]
            keep = max(1, int(drops[number] * original))
            if first:
                kept = {seen[i] for i in reference.uniform_positions(len(seen), keep)}
            else:
                q, k = rotated(layer, hidden, rotary)
                flags = [torch.stack([flag[0, p] for p in left]).numpy() for flag in (visual, asking)]
                scores = reference.attention_scores(q.numpy(), k.numpy(), *flags)
                ranked = sorted(range(len(left)), key=lambda i: -scores[i] if visual[0, left[i]] else 1.0)
                kept = {left[i] for i in ranked[:keep]}
            first = False
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
@pytest.mark.parametrize("drops", [{0: 0.5}, {1: 0.5, 2: 0.25}, {0: 0.9, 1: 0.3, 2: 0.1}], ids=str)
def test_agrees_with_the_layers_run_by_hand(drops):
    model, (embeds, visual, real, asking) = decoder(), case()
    thinned = ProgressiveDropout(model, list(drops.items()))(embeds, visual, real, asking)
    hidden, left = by_hand(model, drops, embeds, visual, asking)
    assert thinned.sources[0].tolist() == left
    torch.testing.assert_close(thinned.hidden[0], hidden)


@torch.no_grad()
def test_with_all_tokens_kept_it_is_the_decoder():
    model, (embeds, visual, real, asking) = decoder(), case()
    thinned = ProgressiveDropout(model, [(1, 1.0), (2, 1.0)])(embeds, visual, real, asking)
    torch.testing.assert_close(thinned.hidden, model(inputs_embeds=embeds).last_hidden_state)


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
    whole, thinned = make_model(), make_model(visual_dropout=((1, 0.4),))
    batch = batch_of([1, 2], num_frames=30)
    loss = thinned(batch)
    assert loss.isfinite()
    assert loss != whole(batch)
    loss.backward()
    assert all(parameter.grad is not None for parameter in thinned.parameters())
    kept_all = make_model(visual_dropout=((1, 1.0),))
    torch.testing.assert_close(kept_all(batch), whole(batch))


@pytest.mark.parametrize("drops", [[(3, 0.5)], [(1, 0.5), (0, 0.2)], [(0, 0.0)], [(0, 1.5)]], ids=str)
def test_a_wrong_schedule_is_named(drops):
    with pytest.raises(ValueError, match="ascending layers below 3"):
        ProgressiveDropout(decoder(), drops)


def test_a_decoder_of_another_form_is_refused():
    other = Qwen3Model(Qwen3Config(vocab_size=10, hidden_size=8, intermediate_size=8, num_hidden_layers=1, head_dim=4))
    with pytest.raises(ValueError, match="Qwen3Model is not of Qwen2's"):
        ProgressiveDropout(other, [(0, 0.5)])
