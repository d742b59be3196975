"""Makes manifests: rows for the media files of a folder, and their JSONL file."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pipeline.inputs.addresses import as_written
from pipeline.inputs.manifest_checks import check_text
from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.media_folder import list_media
from schemas.rows import Row
from workers.fetch.urls import UrlError, parse_url


def make_manifest(folder: str | Path, say: Callable[[str], None] = lambda line: None) -> list[Row]:
    """Returns one row per media file below a folder, with the subtitles and events beside it, as absolute paths.

    The id is the path relative to the folder. Files beside `<stem>.mp4` are `<stem>.vtt`, `<stem>.<language>.vtt`,
    `<stem>.chapters.vtt` (or with another of SUBTITLE_SUFFIXES) and `<stem>.events.jsonl`.

    Args:
        folder: folder to list.
        say: called with a line about files that are left out but may be wanted, such as running downloads.

    Raises:
        ManifestError: the folder does not exist or has no media files, or a file name cannot be written as an address.
    """
    folder = _absolute(folder)
    if not folder.is_dir():
        what = "is a file; name the folder that contains it" if folder.exists() else "no such folder"
        raise ManifestError(f"{folder}: {what}")
    listing = list_media(folder)
    for why, paths in sorted(listing.left_out.items()):
        say(f"left out: {len(paths)} {why}: {', '.join(sorted(paths)[:5])}{', ...' if len(paths) > 5 else ''}")
    rows: list[Row] = [
        {
            "id": media.path.relative_to(folder).as_posix(),
            "uri": str(media.path),
            "subtitles": [str(p) for p in media.subtitles],
            "events_file": str(media.events_file) if media.events_file else None,
        }
        for media in listing.media
    ]
    if not rows:
        raise ManifestError(f"{folder}: has no media files")
    for row in rows:
        check_text(row, str(row["id"]))
        for path in filter(None, (row["uri"], *row["subtitles"], row["events_file"])):
            try:
                parse_url(path)
            except UrlError as error:
                raise ManifestError(f"{path!r}: {error}; rename the file") from None
    return rows


def check_output(path: Path, *, replace: bool) -> None:
    """Raises ManifestError if a manifest cannot be written to a path.

    The format is not JSONL, it is a folder, its folder does not exist, or the file exists and may not be replaced.
    """
    if path.suffix.lower() != ".jsonl":
        raise ManifestError(f"--out {path}: a manifest is written as JSONL; give a name that ends in .jsonl")
    if path.is_dir():
        raise ManifestError(f"--out {path}: is a folder; give the name of a file in it")
    if path.exists() and not replace:
        raise ManifestError(f"--out {path}: already exists; give another name, or add --replace to overwrite it")
    if not path.absolute().parent.is_dir():
        raise ManifestError(f"--out {path}: the folder {path.parent} does not exist; create it first")


def write_manifest(rows: Iterable[Row], path: str | Path) -> int:
    """Writes rows as JSONL and returns their number. Paths below the manifest's folder are written relative to it.

    An existing manifest is replaced once all rows are written.
    """
    folder, target, count = _absolute(path).parent, Path(path).resolve(), 0
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as stream:
            for row in rows:
                short = {name: _relative(name, value, folder) for name, value in row.items() if value not in (None, [])}
                stream.write(json.dumps(short, ensure_ascii=False) + "\n")
                count += 1
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _absolute(path: str | Path) -> Path:
    """Returns an absolute path without `..`. Links are kept, since a folder may be a link to another disk."""
    return Path(os.path.normpath(Path(path).absolute()))


def _relative(column: str, value: Any, folder: Path) -> Any:
    if column == "subtitles":
        return [_relative("uri", path, folder) for path in value]
    if column not in ("uri", "events_file") or "://" in value:
        return value
    path = Path(value)
    return as_written(f"./{path.relative_to(folder)}", str(folder)) if path.is_relative_to(folder) else str(path)
