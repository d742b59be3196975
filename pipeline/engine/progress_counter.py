"""Counts the units of a phase for its display. Workers import it, so it imports nothing of a terminal."""

import json
import uuid
from collections import Counter
from contextlib import suppress
from functools import lru_cache

from ray.exceptions import RpcError
from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_get, _internal_kv_list, _internal_kv_put

_NAMESPACE = "longvid"


class ProgressCounter:
    """Counts (stage, outcome) of all workers of a phase, for the display only.

    Each process keeps what it has counted in the key-value store of the Ray session, under a key of its own. An actor
    would be one process more, which takes half a second of CPU time to start. A store that does not answer is ignored.
    """

    def __init__(self) -> None:
        self._prefix = f"progress/{uuid.uuid4().hex}/"

    def add(self, stage: str, outcome: str) -> None:
        """Counts one unit."""
        key, counts = _of_process(self._prefix)
        counts[f"{stage} {outcome}"] += 1
        with suppress(RpcError):
            _internal_kv_put(key, json.dumps(counts), namespace=_NAMESPACE)

    def read(self) -> Counter[tuple[str, str]]:
        """Returns the counts so far."""
        total: Counter[tuple[str, str]] = Counter()
        with suppress(RpcError):
            for key in _internal_kv_list(self._prefix, namespace=_NAMESPACE):
                for name, count in json.loads(_internal_kv_get(key, namespace=_NAMESPACE) or "{}").items():
                    stage, outcome = name.split()
                    total[stage, outcome] += count
        return total

    def close(self) -> None:
        """Deletes the counts."""
        with suppress(RpcError):
            _internal_kv_del(self._prefix, del_by_prefix=True, namespace=_NAMESPACE)


@lru_cache(maxsize=8)
def _of_process(prefix: str) -> tuple[str, Counter[str]]:
    """Returns the key of this process, and what it has counted."""
    return f"{prefix}{uuid.uuid4().hex}", Counter()
