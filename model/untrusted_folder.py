"""Checks that no file in a folder of untrusted weights makes a library run code.

open_clip 3.3.0 passes `text_cfg.tokenizer_kwargs` of a folder's `open_clip_config.json` to transformers unchecked, so
`trust_remote_code` there would run Python from the folder. The key is refused at any depth of any JSON file.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

KEY = "trust_remote_code"


class UntrustedFolderError(ValueError):
    """A folder asks to run its own code. The message names the file."""


def refuse_remote_code(folder: str | Path) -> None:
    """Checks every JSON file below a folder for the key `trust_remote_code`.

    Invalid JSON is ignored: the library that reads it uses the same parser and fails as well.

    Raises:
        UntrustedFolderError: a file contains the key, or is nested too deeply to be checked.
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
    """Returns a JSON object unchanged.

    Raises:
        UntrustedFolderError: the object contains the key at any depth.
    """
    if KEY in found:
        raise UntrustedFolderError(
            f"{where}: contains the key {KEY!r}, which lets a folder run its own Python. Such folders are refused: "
            "remove the key if the folder works without it"
        )
    for value in found.values():
        if isinstance(value, dict):
            refuse_key(value, where)
    return found


def never_ask_to_run_code() -> None:
    """Makes transformers refuse models with their own code where it would otherwise ask at the terminal."""
    from transformers import dynamic_module_utils  # costs a second to import

    dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0
