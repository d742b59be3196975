"""Where a tower's architecture and weights come from, and what identifies them."""

import hashlib
from functools import lru_cache
from pathlib import Path

from model.untrusted_folder import UntrustedFolderError, refuse_remote_code

LOCAL = "local-dir:"
ROOT = Path(__file__).resolve().parents[2]
READ = {".json", ".txt", ".model", ".safetensors", ".bin", ".pt", ".pth"}
"""Files of a tower's folder that open_clip and tokenizers read."""


class TowerError(ValueError):
    """A tower that cannot be loaded or used as asked. The message names it and the remedy."""


def resolve(model: str, pretrained: str) -> tuple[str, str | None]:
    """Model and weights as open_clip takes them: paths absolute, and never an architecture without weights."""
    import open_clip  # costs seconds to import, and most of the program needs only the digest below

    if model.startswith(LOCAL):
        folder = _folder(model)
        if not (folder / "open_clip_config.json").is_file():
            raise TowerError(
                f"tower {model!r}: no open_clip_config.json in {folder}. Give the folder of a saved open_clip model; "
                f"a relative path starts at {ROOT}"
            )
        if pretrained:
            raise TowerError(f"tower {model!r}: pretrained = {pretrained!r} has no meaning here. Leave it empty")
        try:
            refuse_remote_code(folder)
        except UntrustedFolderError as error:
            raise TowerError(f"tower {model!r}: {error}") from None
        return LOCAL + str(folder), None
    if ":" in model:
        return model, None
    if model not in open_clip.list_models():
        raise TowerError(f"tower {model!r}: no such architecture. Use local-dir:PATH or one of open_clip.list_models()")
    if pretrained and open_clip.is_pretrained_cfg(model, pretrained):
        return model, pretrained
    if not pretrained or not _file(pretrained).is_file():
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(model))
        raise TowerError(f"tower {model!r}: pretrained = {pretrained!r} is no file and no tag. Use one of: {tags}")
    return model, str(_file(pretrained))


def weights_digest(model: str, pretrained: str) -> str:
    """SHA-256 of a local tower's files, so that retrained weights under an old name are told apart; else empty.

    A published tag names its weights for good, and is not looked up.
    """
    if model.startswith(LOCAL):
        files = sorted(p for p in _folder(model).glob("*") if p.is_file() and p.suffix in READ)
    else:
        files = [p for p in [_file(pretrained)] if pretrained and p.is_file()]
    stats = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return hashlib.sha256("".join(_digest(*stat) for stat in stats).encode()).hexdigest() if stats else ""


@lru_cache(maxsize=64)
def _digest(path: str, size: int, mtime_ns: int) -> str:
    """Name and content of a file; size and time only tell when to read it again."""
    found = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(1 << 22):
            found.update(block)
    return f"{Path(path).name}:{found.hexdigest()};"


def _folder(model: str) -> Path:
    return ROOT / Path(model.removeprefix(LOCAL)).expanduser()


def _file(pretrained: str) -> Path:
    return ROOT / Path(pretrained).expanduser()
