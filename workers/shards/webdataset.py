"""Reads samples of shards as a `webdataset` pipeline, for training code that uses that library.

The library's own decoders unpickle some members, its opener runs `pipe:` addresses in a shell, and neither looks at
sizes. So shards are opened through pyarrow.fs here, and only the members that layout.py lists are read and decoded.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import webdataset
from webdataset.tariterators import group_by_keys

from schemas.config import ConfigError
from workers.fetch.redaction import redacted, scrub_secrets
from workers.shards.group import MAX_JSON_BYTES, MAX_MEMBER_BYTES, Group, ShardError, decode_clips, decode_group
from workers.shards.tar_members import read_members
from workers.storage.files import open_file
from workers.storage.store import Store

_JSON, _TOKENS, _CLIPS = ("json", "qa.json"), "tokens.safetensors", "clips.safetensors"


def samples(
    urls: str | Sequence[str],
    *,
    store: Store | None = None,
    shuffle: int = 0,
    seed: int = 0,
    epoch: int = 0,
    clips: bool = False,
    verify: bool = True,
    select: Callable[[str], bool] | None = None,
    max_member_bytes: int = MAX_MEMBER_BYTES,
) -> webdataset.DataPipeline:
    """Returns a `webdataset` pipeline over shards, with one sample per QA pair.

    Shards are divided among the ranks of torch.distributed (or RANK and WORLD_SIZE) and the workers of a DataLoader, so
    there should be at least as many as workers in all. For ranks that must take equally many steps, and for training
    that can be resumed within an epoch, use `ShardReader`.

    A sample is a dict of the fields of the QA pair, its arrays as `Group.sample` describes them, `video` (the facts of
    the video), `video_id`, `duration_s`, `sample_key` and `__url__`.

    Args:
        urls: paths, `s3://` or `gs://` addresses of shards; one string may have braces, as `{000000..000007}.tar`.
        store: a corpus; `urls` are paths in it then.
        shuffle: number of samples that are held to be shuffled; the order of the shards is shuffled too. 0: neither.
        seed: decides the order, with the epoch.
        epoch: of the first iteration; each further one of the same pipeline object is the next epoch. The workers of a
            DataLoader count epochs only with `persistent_workers`; otherwise make a pipeline per epoch.
        clips: gives `clip_tokens` too, where the corpus has them.
        verify: compares each group with its checksums.
        select: takes a sample key, and says whether that group is read.
        max_member_bytes: more than this is an error.

    Raises:
        ConfigError: there are no urls.
        ShardError: while it is iterated, for a shard that cannot be read. The message names it.
    """
    if not urls:
        raise ConfigError("urls: there are no shards. Give paths such as corpus/shards/train/000000.tar")
    order = {"seed": seed, "epoch": epoch - 1}
    return webdataset.DataPipeline(
        webdataset.SimpleShardList(urls),
        # Before the split, and the same on all ranks, so that each shard goes to one worker.
        webdataset.detshuffle(1 << 30, 1 << 30, **order) if shuffle else None,
        webdataset.split_by_node,
        webdataset.split_by_worker,
        partial(_members, store=store, clips=clips, select=select, max_member_bytes=max_member_bytes),
        partial(group_by_keys, lcase=False),
        partial(_pairs, verify=verify),
        webdataset.detshuffle(shuffle, shuffle, **order) if shuffle else None,
    )


def _members(
    shards: Iterable[dict[str, Any]],
    store: Store | None,
    clips: bool,
    select: Callable[[str], bool] | None,
    max_member_bytes: int,
) -> Iterator[dict[str, Any]]:
    wanted = dict.fromkeys(_JSON, min(MAX_JSON_BYTES, max_member_bytes)) | {_TOKENS: max_member_bytes}
    if clips:
        wanted[_CLIPS] = max_member_bytes

    def limit(name: str) -> int | None:
        key, _, suffix = name.partition(".")
        return wanted.get(suffix) if select is None or select(key) else None

    for shard in shards:
        name = redacted(shard["url"])
        with _open(shard["url"], store) as stream:
            for member, data in read_members(stream, name, limit):
                yield {"fname": member, "data": data, "__url__": name}
        yield {}  # separates the samples of two shards


def _open(url: str, store: Store | None) -> Any:
    folder, _, name = url.rpartition("/")
    try:
        return store.open(url) if store else open_file(folder if folder or url.startswith("/") else ".", name)
    except (OSError, ValueError) as error:
        raise ShardError(f"{redacted(url)}: cannot be opened: {scrub_secrets(str(error), url)}") from None


def _pairs(groups: Iterable[dict[str, Any]], verify: bool) -> Iterator[dict[str, Any]]:
    video_id, clips = "", None
    for found in groups:
        key, url = found["__key__"], found["__url__"]
        try:
            group, facts = decode_group(found["qa.json"], found[_TOKENS], verify), json.loads(found["json"])
            if facts["video_id"] != video_id:  # the first group of a video contains its clips
                video_id, clips = facts["video_id"], None
            duration_s = float(facts["duration_s"])
            if not (isinstance(video_id, str) and 0 <= duration_s < math.inf):
                raise ValueError("its facts have a video_id that is no text, or a duration_s that is none")
            if _CLIPS in found:
                clips = decode_clips(found[_CLIPS], verify)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            what = f"there is no {error}" if isinstance(error, KeyError) else error
            raise ShardError(f"{url}: group {key} cannot be read: {what}") from None
        named = {"video_id": video_id, "sample_key": key, "duration_s": duration_s}
        yield from _samples(group, clips, {"video": facts, **named, "__url__": url})


def _samples(group: Group, clips: np.ndarray | None, named: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if clips is not None:
        group.tensors["clip_tokens"] = clips
    for row in range(len(group.qa)):
        yield {**group.sample(row), **named}
