"""Multiplies the matrices of a frozen model on an x86 CPU with oneDNN in place of MKL.

torch multiplies float32 matrices with MKL, which uses half of the vector width of AMD's processors; oneDNN, which torch
contains for convolutions, uses all of it: a frame takes a ViT-B-32 half of the time. The sums are float32 as before.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


def use_onednn(model: nn.Module) -> None:
    """Makes the float32 layers of a frozen model on a CPU use oneDNN, where torch has it and would use MKL.

    The model must be in evaluation mode and be called in `torch.inference_mode`.
    """
    if not (torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()):
        return
    for module in model.modules():
        if type(module) is nn.Linear and module.weight.dtype is torch.float32:
            module.__class__ = _Linear
        elif type(module) is nn.MultiheadAttention and _is_usual(module):
            module.__class__ = _MultiheadAttention


def _is_usual(attention: nn.MultiheadAttention) -> bool:
    weight = attention.in_proj_weight  # None where keys or values have another width than queries
    is_extended = attention.bias_k is not None or attention.add_zero_attn
    return weight is not None and weight.dtype is torch.float32 and attention.batch_first and not is_extended


def _linear(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    # A private operator of torch, which its compiler uses for linear layers on a CPU.
    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return product


class _Linear(nn.Linear):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return _linear(input, self.weight, self.bias)


class _MultiheadAttention(nn.MultiheadAttention):
    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *args: Any, **options: Any) -> Any:
        mask = options.get("attn_mask")
        is_self = query is key is value and query.dim() == 3
        is_additive = mask is None or (mask.is_floating_point() and mask.dim() == 2)
        if args or options != {"need_weights": False, "attn_mask": mask} or not (is_self and is_additive):
            return super().forward(query, key, value, *args, **options)
        projected = _linear(query, self.in_proj_weight, self.in_proj_bias)
        q, k, v = projected.unflatten(2, (3, self.num_heads, self.head_dim)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return _linear(attended.transpose(1, 2).flatten(2), self.out_proj.weight, self.out_proj.bias), None
