"""The log of a training run: a line of JSON per step."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.config import ConfigError
from workers.storage.store import Store

LOG = "log.jsonl"


def read_log(store: Store, run: str) -> list[dict[str, Any]]:
    """Returns the lines of a run's log, one dict per step; none if there is no log yet.

    Raises ConfigError for a line that is none: someone else may have written it.
    """
    path = f"{run}/{LOG}"
    rows = []
    for number, line in enumerate(store.read_bytes(path).splitlines() if store.exists(path) else [], 1):
        try:
            row = json.loads(line)
            if type(row["step"]) is not int or not all(isinstance(row[name], float) for name in ("loss", "seconds")):
                raise TypeError
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ConfigError(f"{path}, line {number}: not of a run's log; give the run another name") from None
        rows.append(row)
    return rows


def write_log(store: Store, run: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replaces a run's log. Object storage can't append, so it is written whole, with every checkpoint.

    A number that is not finite is written as null: JSON knows no NaN.
    """
    lines = (json.dumps({name: _finite(value) for name, value in row.items()}, allow_nan=False) for row in rows)
    store.write_bytes(f"{run}/{LOG}", "".join(f"{line}\n" for line in lines).encode())


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
