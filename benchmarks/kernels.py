"""Speed and memory of the kernels in model/ops, against the direct ways to the same results in the same run.

Needs torch and this checkout only, so it runs on a bare GPU machine too:
    python -m benchmarks.kernels [--device cuda] [--threads 2] [--only dks]
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks._baselines import keyframes_host_loop, keyframes_in_rounds, merge_directly
from benchmarks._measure import at_least, at_most, extra_megabytes, report, rivals, seconds
from model.ops.dfm.merge import merge_sweep
from model.ops.dks.keyframes import select_keyframes
from model.ops.hico.clip_merge import merge_clips
from model.ops.hico.naive import merge_clip

D, K, Q, TAU = 512, 32, 32, 0.85
GPU_COMMAND = "python -m benchmarks.kernels --device cuda"


def video(num_frames: int, world: str, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Embeddings of a video at one frame per second and of Q questions.

    shots: a cut every 25 s on average, half of the shots from a setting seen before; frames of a shot lie above tau,
    settings below. scenes: 20 settings in all, so that no query finds K frames apart. noise: no frame is like another.
    """
    rng = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return normalize(torch.randn(*shape, generator=rng), dim=-1)

    if world == "noise":
        return random(num_frames, D), random(Q, D)
    settings = 20 if world == "scenes" else max(1, num_frames // 50)
    cuts = (torch.rand(num_frames, generator=rng) < 1 / 25).cumsum(0)
    setting_of_shot = torch.randint(settings, (num_frames,), generator=rng)
    centers = normalize(0.8 * random(1, D) + 0.6 * random(settings, D), dim=1)
    frames = normalize(centers[setting_of_shot[cuts]] + 0.25 * random(num_frames, D), dim=1)
    return frames, normalize(0.5 * random(Q, D) + 0.3 * centers[torch.randint(settings, (Q,), generator=rng)], dim=1)


def keyframes() -> None:
    for world in ("shots", "scenes", "noise"):
        frames, queries = video(10_000, world)
        ours, theirs = rivals(
            lambda f=frames, q=queries: select_keyframes(f, q, k=K, tau=TAU),
            lambda f=frames, q=queries: keyframes_host_loop(f, q[0], k=K, tau=TAU),
        )
        figure = f"DKS, N 10,000, {world}: speed-up over the N x N host loop, a query"
        at_least(figure, theirs / (ours / Q), "x", 50, milliseconds_per_query=round(1e3 * ours / Q, 2))
    for num_frames, rounds in ((600, 60), (10_000, 15), (100_000, 3)):
        frames, queries = video(num_frames, "shots")
        for asked in (queries[:1], queries):
            ours, theirs = rivals(
                lambda f=frames, q=asked: select_keyframes(f, q, k=K, tau=TAU),
                lambda f=frames, q=asked: keyframes_in_rounds(f, q, k=K, tau=TAU),
                rounds=rounds,
                ours_per_round=1,
            )
            figure = f"DKS, N {num_frames:,}, Q {len(asked)}: time of plain batched rounds"
            at_most(figure, ours / theirs, "x", 1.1, milliseconds=round(1e3 * ours, 2))
    memory = extra_megabytes(_long_selection)
    figure = "DKS, N 100,000, Q 32: extra memory"
    report(figure, memory, "MB", "< 200", None if memory is None else memory < 200)


def _long_selection() -> Callable[[], object]:
    frames, queries = video(100_000, "shots")
    select_keyframes(frames[:1000], queries, k=K, tau=TAU)  # what a first call loads is no part of it
    return lambda: select_keyframes(frames, queries, k=K, tau=TAU)


def merging() -> None:
    num_frames, patches, width = 48, 729, 1152
    rng = torch.Generator().manual_seed(0)
    joint = torch.randn(num_frames, patches, width, generator=rng)
    queries = torch.randn(Q, width, generator=rng)
    chosen = torch.stack([torch.randperm(num_frames, generator=rng)[:8].sort().values for _ in range(Q)])
    chunks = [(part, part) for part in joint.split(16)]
    ours, theirs = rivals(
        lambda: [None for _ in merge_sweep(chunks, queries, chosen)],
        lambda: merge_directly(joint, joint, queries[0], chosen[0].tolist()),
        ours_per_round=1,
    )
    figure = "DFM, 729 patches of 1152, Q 32: one sweep over Q passes of the formula"
    at_least(figure, theirs * Q / ours, "x", 15, milliseconds_per_frame=round(1e3 * ours / num_frames, 2))
    memory = extra_megabytes(_streaming_sweep)
    figure = "DFM, N 10,000, streaming, Q 32: memory beyond inputs and outputs"
    report(figure, memory, "MB", "< 1000", None if memory is None else memory < 1000)


def _streaming_sweep() -> Callable[[], object]:
    """Where most is held: 32 queries look back at 32 keyframes, some at the video's start, some at its end."""
    num_frames, patches, width = 10_000, 729, 1152
    rng = torch.Generator().manual_seed(0)
    chunk = torch.randn(32, patches, width, generator=rng)
    chosen = torch.arange(Q)[:, None] + torch.cat([torch.arange(0, 320, 10), num_frames - torch.arange(40, 72)])
    queries = torch.randn(Q, width, generator=rng)

    def run() -> None:
        # Between its two crowds of keyframes the sweep does the same over and over: 20 chunks of it stand for all.
        shifted = torch.where(chosen < 1000, chosen, chosen - num_frames + 32 * 20)
        for _ in merge_sweep(((chunk, chunk) for _ in range(20)), queries, shifted):
            pass

    return run


def clips() -> None:
    x = torch.randn(4, 4 * 14 * 14, 1024, generator=torch.Generator().manual_seed(0))
    first = x[0].numpy()
    ours, theirs = rivals(lambda: merge_clips(x, heads=16, target=64), lambda: merge_clip(first, heads=16, target=64))
    figure = "HiCo, 4 x 14 x 14 x 1024 to 64 tokens: speed-up over a loop over tokens, per clip"
    at_least(figure, theirs / (ours / len(x)), "x", 20, milliseconds_per_clip=round(1e3 * ours / len(x), 2))


def gpu() -> None:
    dks, dfm = "DKS on a GPU, N 10,000, all 32 queries", "DFM on a GPU: share of the memory bandwidth"
    if not torch.cuda.is_available():
        report(dks, None, "ms", "< 3", None, measure_with=GPU_COMMAND)
        report(dfm, None, "%", ">= 60", None, measure_with=GPU_COMMAND)
        return
    name = torch.cuda.get_device_name()
    frames, queries = (x.cuda() for x in video(10_000, "shots"))
    value = 1e3 * seconds(lambda: select_keyframes(frames, queries, k=K, tau=TAU), 20)
    report(dks, value, "ms", "< 3", value < 3, device=name)

    source = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    bandwidth = 2 * 2**30 / seconds(lambda: target.copy_(source), 20)
    joint = torch.randn(512, 729, 1152, device="cuda", dtype=torch.float16)
    text = torch.randn(Q, 1152, device="cuda")
    chosen = torch.stack([torch.randperm(512)[:K].sort().values for _ in range(Q)]).cuda()
    chunks = [(part, part) for part in joint.split(128)]
    taken = seconds(lambda: [None for _ in merge_sweep(chunks, text, chosen)], 5)
    at_least(dfm, 100 * joint.nbytes / taken / bandwidth, "%", 60, device=name)


def main() -> None:
    sections = {"dks": keyframes, "dfm": merging, "hico": clips, "gpu": gpu}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda: the GPU rows alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=list(sections), nargs="*", default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name in arguments.only or (["gpu"] if arguments.device == "cuda" else list(sections)):
        sections[name]()


if __name__ == "__main__":
    main()
