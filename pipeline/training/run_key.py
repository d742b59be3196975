"""The key that distinguishes the user's own checkpoints from those that came with a corpus.

It is kept outside of every corpus, so that whoever publishes a corpus cannot sign the checkpoints in it.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def run_key(run: str) -> bytes:
    """Returns the key for signing checkpoints of the run, derived from the user's secret.

    The secret is made at the first call, in `$LONGVID_STATE_DIR`, by default `~/.local/state/longvid`.

    Raises OSError, naming the file, where it can neither be read nor made.
    """
    return hmac.new(_secret(), run.encode(), hashlib.sha256).digest()


def _secret() -> bytes:
    path = _state_folder() / "checkpoint_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            # Not replaced: another run may have made it by now, and signs with it.
            os.link(made, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links (exFAT, SMB)
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
    secret = path.read_bytes()
    if len(secret) < KEY_BYTES:
        raise OSError(f"{path}: holds no key of {KEY_BYTES} bytes; delete it")
    return secret


def _state_folder() -> Path:
    if folder := os.environ.get("LONGVID_STATE_DIR"):
        return Path(folder)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "longvid"
