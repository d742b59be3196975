"""What the kernels are measured against: the same results, as the papers' released code or a first draft gets them."""

import torch
from torch import Tensor
from torch.nn.functional import normalize


def keyframes_host_loop(frames_ND: Tensor, query_D: Tensor, *, k: int, tau: float) -> list[int]:
    """DKS of one query with the whole N x N matrix and a loop on the host, as ViLaMP's released code does it."""
    frames_ND, query_D = normalize(frames_ND, dim=1), normalize(query_D, dim=0)
    similarity_NN = frames_ND @ frames_ND.T
    selected: list[int] = []
    visited = torch.zeros(len(frames_ND), dtype=torch.bool)
    for n in (frames_ND @ query_D).argsort(descending=True).tolist():
        if len(selected) == k:
            break
        if not visited[n]:
            selected.append(n)
            visited |= similarity_NN[n] >= tau
    return sorted(selected)


def keyframes_in_rounds(frames_ND: Tensor, queries_QD: Tensor, *, k: int, tau: float) -> Tensor:
    """DKS of all queries by plain batched rounds: `[Q, K]`, ascending, -1 for none."""
    frames_ND, queries_QD = normalize(frames_ND, dim=1), normalize(queries_QD, dim=1)
    left_QN = queries_QD @ frames_ND.T
    selected = []
    for _ in range(k):
        value_Q, best_Q = left_QN.max(dim=1)
        selected.append(torch.where(value_Q > -torch.inf, best_Q, -1))
        left_QN.masked_fill_(frames_ND[best_Q] @ frames_ND.T >= tau, -torch.inf)
    return torch.stack(selected, dim=1).sort(dim=1).values


def merge_directly(
    features_NMC: Tensor, joint_NMD: Tensor, query_D: Tensor, keyframes_K: list[int], *, alpha: float = 0.01
) -> Tensor:
    """DFM of one query by the formula, for all frames at once: `[N, C]`."""
    before = torch.tensor([max((s for s in keyframes_K if s < n), default=-1) for n in range(len(joint_NMD))])
    patches_NMD = normalize(joint_NMD, dim=2)
    shared_NM = (patches_NMD * patches_NMD[before.clamp(min=0)]).sum(dim=2)
    score_NM = patches_NMD @ normalize(query_D, dim=0) - shared_NM.masked_fill((before < 0)[:, None], 0.0)
    return torch.einsum("nm,nmc->nc", (score_NM / alpha).softmax(dim=1), features_NMC)
