"""Checks single rows of a manifest. Every error names the file, the row, the column, the value and the remedy.

Rows are not checked by a pydantic model: it would list the columns of the schema MANIFEST a second time; of a column
and its alias it takes the first, even if that is null; and its messages show values as they are, with their secrets.
"""

import hashlib
import json
import re
from typing import Any

import pyarrow as pa

from pipeline.inputs.addresses import as_written, name_below, resolve
from pipeline.inputs.clip_lists import CLIP_COLUMNS
from pipeline.inputs.manifest_rows import ManifestError
from schemas.rows import Row
from schemas.tables.media import MANIFEST
from workers.fetch.redaction import format_value, redacted, without_credentials
from workers.fetch.urls import UrlError, parse_url

ALIASES = {"path": "uri", "video": "uri"}
SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_TEXT_COLUMNS = [field.name for field in MANIFEST if field.type == pa.string()]
_JSON_COLUMNS = ("events", "conversations", "conversation_origins")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# JSON text may contain unpaired surrogates, which UTF-8 and therefore Arrow's strings cannot represent.
_SURROGATE = re.compile("[\ud800-\udfff]")


def video_id_of(name: str) -> str:
    """Returns the id of a video in a corpus, the first 16 hex digits of the SHA-256 of its id in the manifest."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def checked_row(raw: Any, where: str, folder: str) -> Row:
    """Returns a row with all columns of MANIFEST and `video_id`. Raises ManifestError.

    Args:
        raw: the row as written.
        where: file and line for messages.
        folder: folder of the manifest.
    """
    row = _columns(raw, where)
    _check(row, where)
    try:
        parse_url(resolve(row["uri"], folder))
    except UrlError as error:
        raise ManifestError(f"{where}: uri = {format_value(row['uri'])}: {error}") from None
    name = row["id"] or redacted(row["uri"])
    row["video_id"] = video_id_of(name)
    row["uri"] = as_written(row["uri"], folder)
    row["id"] = row["id"] or (name_below(row["uri"], folder) if row["uri"].startswith("/") else name)
    for column in ("id", "licence", "source", "annotation_licence"):  # free text that is published
        row[column] = row[column] and without_credentials(row[column])
    row["subtitles"] = [_annotation_path("subtitles", p, folder, where) for p in row["subtitles"] or []] or None
    if row["events_file"]:
        row["events_file"] = _annotation_path("events_file", row["events_file"], folder, where)
    return row


def check_no_local_files(row: Row, folder: str, where: str) -> None:
    """Raises ManifestError if the row of a manifest on an object store names files of this machine."""
    named = {"uri": [row["uri"]], "subtitles": row["subtitles"] or [], "events_file": [row["events_file"] or "://"]}
    for column, paths in named.items():
        for path in paths:
            if "://" not in resolve(path, folder):
                raise ManifestError(
                    f"{where}: {column} = {format_value(path)}: a manifest on an object store may not name files of "
                    "this machine; if they are yours, set download.allow_local_files=true or copy the manifest here"
                )


def check_text(row: Row, where: str) -> None:
    """Raises ManifestError for a column that must be text, or a list of paths, and is not."""
    for name in _TEXT_COLUMNS:
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            raise ManifestError(f"{where}: {name} = {format_value(value)}: must be text, in quotes")
        if value and ("\0" in value or _SURROGATE.search(value)):
            raise ManifestError(f"{where}: {name} = {format_value(value)}: is not UTF-8 text; correct it")
    paths = row.get("subtitles")
    is_list = isinstance(paths, list) and all(isinstance(p, str) and p and not _SURROGATE.search(p) for p in paths)
    if paths is not None and not is_list:
        raise ManifestError(f"{where}: subtitles = {format_value(paths)}: must be a list of paths")


def _columns(raw: Any, where: str) -> Row:
    if not isinstance(raw, dict):
        raise ManifestError(f"{where}: a row must be an object with named columns, not {type(raw).__name__}")
    row: Row = dict.fromkeys(MANIFEST.names)
    for column, value in raw.items():
        target = ALIASES.get(column, column)
        if target not in row:
            accepted = ", ".join([*MANIFEST.names, *ALIASES, *CLIP_COLUMNS])
            raise ManifestError(f"{where}: unknown column {format_value(column)}; use some of: {accepted}")
        if value is not None and row[target] is not None:
            raise ManifestError(f"{where}: {column!r}: {target!r} is given twice; drop one of the two columns")
        row[target] = value if row[target] is None else row[target]
    return row


def _check(row: Row, where: str) -> None:
    events = row["events"]
    if events is not None and not isinstance(events, list) and not str(events).lstrip().startswith("["):
        raise ManifestError(f"{where}: events = {format_value(events)}: must be a list of events")
    for name in _JSON_COLUMNS:
        if row[name] is not None and not isinstance(row[name], str):
            # Their content is checked by `annotate`, where an error rejects a single video only.
            row[name] = _json(row[name], f"{where}: {name}", ascii_only=name == "events")
    check_text(row, where)
    if not row["uri"]:
        raise ManifestError(f"{where}: `uri` is missing: give the path or address of the video")
    if row["sha256"] is not None:
        row["sha256"] = row["sha256"].lower()
        if not _SHA256.fullmatch(row["sha256"]):
            raise ManifestError(f"{where}: sha256 = {format_value(row['sha256'])}: not 64 hex digits")
    if row["split"] is not None and not SPLIT.fullmatch(row["split"]):
        raise ManifestError(
            f"{where}: split = {format_value(row['split'])}: use at most 32 letters, digits, `_` and `-`"
        )


def _json(value: Any, where: str, ascii_only: bool) -> str:
    try:
        return json.dumps(value, ensure_ascii=ascii_only, default=str)  # Parquet has dates and other types
    except RecursionError:
        raise ManifestError(f"{where}: nested too deeply") from None


def _annotation_path(column: str, path: str, folder: str, where: str) -> str:
    written = as_written(path, folder)
    if "://" in written and not written.startswith(("s3://", "gs://")):
        raise ManifestError(
            f"{where}: {column} = {format_value(path)}: must be a path, s3:// or gs://; download the file first"
        )
    return written
