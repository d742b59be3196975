"""Counts the cost of a corpus at its endpoint, over all processes, and enforces the budget.

Each process writes one file per purpose (`endpoint/spent/...`); if there is a budget, it reads the files of all
processes before a request. The maximum cost of a request is reserved before it is sent, so concurrent requests cannot
exceed the budget together. The reservation of a killed process remains.
"""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from schemas.rejects import BuildStopped, Reject
from workers.endpoint.config import EndpointConfig
from workers.storage.store import Store

SPENT = "endpoint/spent"
Cost = dict[str, float]
"""`tokens_in`, `tokens_out` and `minutes` of audio."""
on_unanswered: ContextVar[Callable[[], None]] = ContextVar("on_unanswered", default=lambda: None)
"""Called for each attempt that may have been sent and has no complete answer. Its errors end the request."""


class _File(NamedTuple):
    path: str
    spent: Counter[str]


@cache
def _file(root: str, purpose: str, process: int) -> _File:
    """Returns the file of this process. All units share it, since each request reads all files."""
    return _File(f"{SPENT}/{purpose}/{uuid.uuid4().hex}.json", Counter())


class Ledger:
    """Records the costs of one process for one purpose (`caption`, ...)."""

    def __init__(self, config: EndpointConfig, store: Store, purpose: str) -> None:
        self._config, self._store = config, store
        self._path, self._spent = _file(store.root, purpose, os.getpid())

    @contextmanager
    def reserve(self, most: Cost) -> Iterator[Cost]:
        """Reserves the maximum cost of a request, and yields a dict to be filled with its actual cost.

        A request that the server answers with an error costs nothing. An attempt without an answer (a timeout, a lost
        connection) counts with its maximum cost, since the server may charge for it.

        Raises:
            Reject: `endpoint_cap` if the request, or a further attempt, would exceed the budget.
        """
        self._add(most)
        cost: Cost = {}
        hook = on_unanswered.set(lambda: self._add_unanswered(most))
        try:
            self._check()
            yield cost
        finally:
            on_unanswered.reset(hook)
            # In one write, so that no other process misses both the reservation and the cost.
            self._add({**cost, "calls": 1} if cost else {}, instead_of=most)

    def _add_unanswered(self, most: Cost) -> None:
        self._add({**most, "calls": 1})
        self._check()  # the reservation now belongs to the next attempt

    def _add(self, cost: Cost, instead_of: Cost | None = None) -> None:
        for name, value in cost.items():
            self._spent[name] += value  # type: ignore[assignment]
        for name, value in (instead_of or {}).items():
            self._spent[name] -= value  # type: ignore[assignment]
        self._store.write_json(self._path, dict(self._spent))

    def _check(self) -> None:
        config = self._config
        if not (config.max_tokens or config.max_cost):
            return
        total = sum(spent(self._store).values(), Counter())
        for name, value, limit in (
            ("max_tokens", total["tokens_in"] + total["tokens_out"], config.max_tokens),
            ("max_cost", cost_of(total, config), config.max_cost),
        ):
            if limit and value > limit:
                raise Reject("endpoint_cap", f"annotate.endpoint.{name} = {limit:g} is used up")


def spent(store: Store) -> dict[str, Counter[str]]:
    """Returns the cost of the corpus so far by purpose: `calls`, `tokens_in`, `tokens_out`, `minutes`.

    Raises BuildStopped if a file is damaged, since the sum is then unknown.
    """
    found: dict[str, Counter[str]] = {}
    for path in store.files(SPENT):
        purpose = path.split("/")[-2]
        try:
            found.setdefault(purpose, Counter()).update(_numbers(store.read_json(path)))
        except (ValueError, RecursionError):
            raise BuildStopped(f"{path} is not JSON, so the cost so far is unknown. Delete the file") from None
    return found


def cost_of(tokens: Any, config: EndpointConfig) -> float:
    """Returns the price of tokens and minutes."""
    millions = tokens["tokens_in"] * config.price_in + tokens["tokens_out"] * config.price_out
    return float(millions / 1e6 + tokens["minutes"] * config.price_minute)


def _numbers(entry: Any) -> Cost:
    """Returns the valid amounts of an entry, which is untrusted."""
    if not isinstance(entry, dict):
        return {}
    return {name: value for name, value in entry.items() if type(value) in (int, float) and 0 <= value < 1e18}
