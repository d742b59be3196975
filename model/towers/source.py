"""Resolves a tower's architecture and weights, and identifies them by a digest."""

import hashlib
from functools import lru_cache
from pathlib import Path

from model.untrusted_folder import UntrustedFolderError, refuse_remote_code

LOCAL = "local-dir:"
ROOT = Path(__file__).resolve().parents[2]
READ = {".json", ".txt", ".model", ".safetensors", ".bin", ".pt", ".pth"}
"""Suffixes of the files in a tower's folder that open_clip and tokenizers read."""


class TowerError(ValueError):
    """A tower cannot be loaded or used. The message names it and the remedy."""


def resolve(model: str, pretrained: str) -> tuple[str, str | None]:
    """Returns the model and weights in the form that open_clip takes, with absolute paths.

    Raises:
        TowerError: there is no such architecture, folder, tag or weights file; an architecture without weights is
            refused.
    """
    import open_clip  # takes seconds to import, and most commands need only the digest below

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
        raise TowerError(
            f"tower {model!r}: pretrained = {pretrained!r} is neither a file nor a tag. Use one of: {tags}"
        )
    return model, str(_file(pretrained))


def weights_digest(model: str, pretrained: str) -> str:
    """Returns the SHA-256 of a local tower's files, so that retrained weights change it; empty for published weights.

    A published tag always names the same weights, so they are not downloaded to compute a digest.
    """
    files = [p for p in weights_files(model, pretrained) if p.is_file()]
    stats = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return hashlib.sha256("".join(_digest(*stat) for stat in stats).encode()).hexdigest() if stats else ""


def weights_files(model: str, pretrained: str) -> list[Path]:
    """Returns the folder of a local tower, whether it is there or not, and its files; none for published weights."""
    if model.startswith(LOCAL):
        return [_folder(model), *sorted(p for p in _folder(model).glob("*") if p.is_file() and p.suffix in READ)]
    return [p for p in [_file(pretrained)] if pretrained and p.is_file()]


@lru_cache(maxsize=64)
def _digest(path: str, size: int, mtime_ns: int) -> str:
    """Returns name and SHA-256 of a file; size and time only invalidate the cache."""
    with Path(path).open("rb") as stream:
        return f"{Path(path).name}:{hashlib.file_digest(stream, 'sha256').hexdigest()};"


def _folder(model: str) -> Path:
    return ROOT / Path(model.removeprefix(LOCAL)).expanduser()


def _file(pretrained: str) -> Path:
    return ROOT / Path(pretrained).expanduser()
