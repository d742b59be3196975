"""Checks a folder of weights that somebody else published before a library loads it: nothing in it may run code.

open_clip 3.3.0 hands `text_cfg.tokenizer_kwargs` of a folder's `open_clip_config.json` to transformers as they are, so
`trust_remote_code` there would run the folder's Python. The key is refused wherever it stands, in any JSON file.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

KEY = "trust_remote_code"


class UntrustedFolderError(ValueError):
    """A folder that asks for code of its own to be run. The message names the file."""


def refuse_remote_code(folder: str | Path) -> None:
    """Reads every JSON file below a folder and raises UntrustedFolderError for one with the key `trust_remote_code`.

    A file that is no JSON is left to the library that needs it, which reads it with the same parser.
    """
    for file in sorted(Path(folder).rglob("*.json")):
        try:
            json.loads(file.read_bytes(), object_hook=partial(refuse_key, where=str(file)))
        except UntrustedFolderError:
            raise
        except RecursionError:
            raise UntrustedFolderError(f"{file}: nested too deeply to be checked. Remove it") from None
        except (ValueError, OSError):
            continue


def refuse_key(found: dict[str, Any], where: str) -> dict[str, Any]:
    """Returns an object of a config as it is. Raises UntrustedFolderError where it holds the key, however deep."""
    if KEY in found:
        raise UntrustedFolderError(
            f"{where}: has the key {KEY!r}, by which a folder runs Python of its own. longvid loads no such folder: "
            "remove the key if the folder works without it"
        )
    for value in found.values():
        if isinstance(value, dict):
            refuse_key(value, where)
    return found


def never_ask_to_run_code() -> None:
    """Makes transformers refuse a model with code of its own, where it would ask at the terminal whether to run it."""
    from transformers import dynamic_module_utils  # costs a second to import

    dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0
