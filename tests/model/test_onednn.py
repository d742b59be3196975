"""oneDNN computes the same as MKL, up to the last bits."""

import copy

import pytest
import torch
from torch import nn

from model.onednn import use_onednn

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()),
    reason="this torch has no MKL or no oneDNN",
)
TOKENS = torch.randn(3, 7, 32, generator=torch.Generator().manual_seed(1))
CAUSAL = torch.full((7, 7), -torch.inf).triu(1)


def pair(module: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The module, and a copy that uses oneDNN."""
    module.eval().requires_grad_(False)
    changed = copy.deepcopy(module)
    use_onednn(changed)
    return module, changed


@pytest.fixture
def products(monkeypatch):
    """Counts the products of oneDNN."""
    counted, operator = [], torch.ops.mkldnn._linear_pointwise
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda *args: counted.append(1) or operator(*args))
    return counted


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tokens", [TOKENS, TOKENS[0], TOKENS[:0], TOKENS[None], TOKENS.transpose(0, 1)], ids=len)
def test_a_linear_layer_gives_the_same(tokens, bias, products):
    plain, changed = pair(nn.Linear(32, 48, bias=bias))
    with torch.inference_mode():
        torch.testing.assert_close(changed(tokens), plain(tokens))
    assert len(products) == 1


@pytest.mark.parametrize("mask", [None, CAUSAL], ids=["all", "causal"])
@pytest.mark.parametrize("bias", [True, False])
def test_self_attention_gives_the_same(mask, bias, products):
    plain, changed = pair(nn.MultiheadAttention(32, 4, bias=bias, batch_first=True))
    with torch.inference_mode():
        expected, _ = plain(TOKENS, TOKENS, TOKENS, need_weights=False, attn_mask=mask)
        given, weights = changed(TOKENS, TOKENS, TOKENS, need_weights=False, attn_mask=mask)
    torch.testing.assert_close(given, expected)
    assert weights is None and len(products) == 2


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"need_weights": False, "attn_mask": CAUSAL.bool()},
        {"need_weights": False, "attn_mask": CAUSAL.expand(12, 7, 7)},
        {"need_weights": False, "key_padding_mask": torch.arange(7).expand(3, 7) > 4},
        {"need_weights": False, "is_causal": True, "attn_mask": CAUSAL},
    ],
    ids=lambda options: " ".join(options) or "weights",
)
def test_other_attention_is_that_of_torch(options, products):
    plain, changed = pair(nn.MultiheadAttention(32, 4, batch_first=True))
    for key in (TOKENS, TOKENS.clone()):
        with torch.inference_mode():
            expected, given = (module(TOKENS, key, key, **options) for module in (plain, changed))
        torch.testing.assert_close(given, expected)
    assert not products


@pytest.mark.parametrize(
    "unusual",
    [
        nn.MultiheadAttention(32, 4),
        nn.MultiheadAttention(32, 4, batch_first=True, add_bias_kv=True),
        nn.MultiheadAttention(32, 4, batch_first=True, add_zero_attn=True),
        nn.MultiheadAttention(32, 4, batch_first=True, kdim=32, vdim=16),
        nn.MultiheadAttention(32, 4, batch_first=True, dtype=torch.bfloat16),
        nn.Linear(32, 48, dtype=torch.bfloat16),
    ],
    ids=["batch second", "bias_kv", "zero_attn", "other widths", "bf16 attention", "bf16"],
)
def test_layers_of_another_kind_stay_as_they_are(unusual):
    plain, changed = pair(unusual)
    assert type(changed) is type(plain)
