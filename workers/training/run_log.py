"""The log of a training run: a line of JSON per step."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.config import ConfigError
from workers.storage.store import Store

LOG = "log.jsonl"
_MAX_NUMBER = 1 << 53


def read_log(store: Store, run: str) -> list[dict[str, Any]]:
    """Returns the lines of a run's log, one dict per step; none if there is no log yet.

    Raises ConfigError for a line that is none: someone else may have written it.
    """
    path = f"{run}/{LOG}"
    rows = []
    for number, line in enumerate(store.read_bytes(path).splitlines() if store.exists(path) else [], 1):
        try:
            row = json.loads(line)
            if not _is_row(row):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ConfigError(f"{path}, line {number}: not of a run's log; give the run another name") from None
        rows.append(row)
    return rows


def _is_row(row: dict[str, Any]) -> bool:
    left_out = [row.get(name, {}) for name in ("left_out", "heldout_left_out")]
    return (
        all(type(number) is int and 0 <= number < _MAX_NUMBER for number in (row["step"], row.get("questions_cut", 0)))
        and all(isinstance(row[name], float) and math.isfinite(row[name]) for name in ("loss", "seconds"))
        and isinstance(row.get("heldout_loss"), float | None)
        and all(isinstance(reason, str) for samples in left_out for reason in samples.values())
    )


def write_log(store: Store, run: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replaces a run's log. Object storage can't append, so it is written whole, with every checkpoint.

    A number that is not finite is written as null: JSON knows no NaN.
    """
    lines = (json.dumps({name: _finite(value) for name, value in row.items()}, allow_nan=False) for row in rows)
    store.write_bytes(f"{run}/{LOG}", "".join(f"{line}\n" for line in lines).encode())


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
