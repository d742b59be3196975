"""What a corpus has cost at its endpoint, and the cap on it: counted in the corpus, by all processes together.

Each process keeps one file per purpose (`endpoint/spent/...`), however many units it works on, and reads those of all
others before a request where there is a cap. What a request may cost at most is noted before it is made, so the cap
holds whatever is under way; a process that is killed leaves it noted.
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
"""Called for each attempt that was sent, or may have been, and had no whole answer. What it raises ends the request."""


class _File(NamedTuple):
    path: str
    spent: Counter[str]


@cache
def _file(root: str, purpose: str, process: int) -> _File:
    """The file of this process. It is shared by all units, since each request reads every file."""
    return _File(f"{SPENT}/{purpose}/{uuid.uuid4().hex}.json", Counter())


class Ledger:
    """The costs of one process for one purpose (`caption`, ...)."""

    def __init__(self, config: EndpointConfig, store: Store, purpose: str) -> None:
        self._config, self._store = config, store
        self._path, self._spent = _file(store.root, purpose, os.getpid())

    @contextmanager
    def reserve(self, most: Cost) -> Iterator[Cost]:
        """Notes what a request may cost at most; yields a dict to be filled with what it has cost.

        A request that the server answers with an error costs nothing. An attempt that ends without an answer (a
        time-out, a cut connection) counts as its most, since the server may charge for it.

        Raises Reject: `endpoint_cap` where the cap would be passed, by a further attempt as well.
        """
        self._add(most)
        cost: Cost = {}
        hook = on_unanswered.set(lambda: self._add_unanswered(most))
        try:
            self._check()
            yield cost
        finally:
            on_unanswered.reset(hook)
            # In one write: no other process may see the reservation gone and the cost not yet there.
            self._add({**cost, "calls": 1} if cost else {}, instead_of=most)

    def _add_unanswered(self, most: Cost) -> None:
        self._add({**most, "calls": 1})
        self._check()  # what is set aside is for the next attempt

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
    """What the corpus has cost so far, by purpose: `calls`, `tokens_in`, `tokens_out`, `minutes`.

    Raises BuildStopped: a file of these is damaged, so the sum is not known.
    """
    found: dict[str, Counter[str]] = {}
    for path in store.files(SPENT):
        purpose = path.split("/")[-2]
        try:
            found.setdefault(purpose, Counter()).update(_numbers(store.read_json(path)))
        except (ValueError, RecursionError):
            raise BuildStopped(f"{path} is no JSON, so what the endpoint has cost is not known. Delete it") from None
    return found


def cost_of(tokens: Any, config: EndpointConfig) -> float:
    """The price of some tokens and minutes."""
    millions = tokens["tokens_in"] * config.price_in + tokens["tokens_out"] * config.price_out
    return float(millions / 1e6 + tokens["minutes"] * config.price_minute)


def _numbers(entry: Any) -> Cost:
    """An entry may come from someone else's corpus: what is no amount counts as nothing."""
    if not isinstance(entry, dict):
        return {}
    return {name: value for name, value in entry.items() if type(value) in (int, float) and 0 <= value < 1e18}
