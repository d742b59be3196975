"""The user's manifest: which videos there are and what is known of each. Read from JSONL, JSON, CSV or Parquet.

A row is a video, or a clip of one. Columns (all but `uri` may be absent or null):

| column | what |
|---|---|
| `uri` | the file: a path, `file://`, `http(s)://`, `s3://` or `gs://`. Also accepted as `path` or `video` |
| `id` | a name of one's own, unique; where absent, the uri as written, without credentials and query |
| `sha256` | 64 hex digits; a file that differs is rejected |
| `licence`, `source` | free text that goes along into every sample |
| `split` | e.g. `train`: letters, digits, `_` and `-` |
| `subtitles` | list of WebVTT, SubRip, ASS or TTML files (CSV: parted by `;`); languages as in `film.en.vtt` |
| `events_file` | a JSONL file of events: `{"start_s": 1, "end_s": 2.5, "kind": "event", "text": "..."}` a line |
| `events` | the same, inline: a list (CSV: JSON); a bad one is a reject of its video |
| `conversations` | LLaVA form, unchanged: `[{"from": "human", "value": "..."}, ...]`, or a list of such |
| `conversation_origins` | per conversation `{"file", "row", "format", "licence"}`; `longvid manifest` writes it |
| `annotation_licence` | free text: of the row's events, subtitles and conversations that tell no licence of their own |
| `start_s`, `end_s`, `text` | a clip: the rows of one `uri` are one video, see `merge_clips` and `write_qa.clips` |

Kinds of events: `event` (default), `scene`, `chapter`, `caption`, `speech`, `clip`. Relative paths count from the
manifest's own folder.
A manifest on s3:// or gs:// may not name files of this machine, unless `download.allow_local_files` is set.
"""

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.inputs.addresses import (
    annotation_stamp,
    as_said,
    manifest_folder,
    name_below,
    resolve,
    source_stamp,
)
from pipeline.inputs.clip_lists import CLIP_COLUMNS, merge_clips
from pipeline.inputs.manifest_rows import ManifestError, Row
from pipeline.inputs.manifest_task import raw_rows
from pipeline.inputs.media_folder import list_media
from schemas.tables.media import MANIFEST
from stages.download import DownloadConfig
from workers.fetch.redaction import format_value, redacted, without_credentials
from workers.fetch.urls import UrlError, parse_url

# The stamps: size and time of change of the files that a row names, so that a changed one is read again.
MANIFEST_ROWS = pa.schema([*MANIFEST, *((n, pa.string()) for n in ("video_id", "source_stamp", "annotation_stamp"))])
BATCH_ROWS, BATCH_CHARACTERS = 512, 1 << 24
ALIASES = {"path": "uri", "video": "uri"}
SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_TEXT_COLUMNS = [field.name for field in MANIFEST if field.type == pa.string()]
_SHA256 = re.compile(r"[0-9a-f]{64}")
# JSON text may hold half a surrogate pair, which is no character: Arrow's strings are UTF-8 and refuse it.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def read_manifest(path: str | Path, settings: DownloadConfig | None = None) -> pa.Table:
    """A whole manifest as one table: see `iterate_manifest`."""
    return pa.concat_tables(iterate_manifest(path, settings or DownloadConfig()))


def iterate_manifest(path: str | Path, settings: DownloadConfig) -> Iterator[pa.Table]:
    """A manifest as tables of the schema MANIFEST_ROWS. Paths are as it has them: `resolve` says where they lead.

    `video_id` is the first 16 hex digits of the id's SHA-256. Holds one batch and the ids seen. Raises ManifestError
    for the first row that is wrong and for an id that comes twice; and where a manifest that lies elsewhere names a
    file of this machine, unless `settings` allow it: whoever wrote it may have no right to read here.
    """
    folder = manifest_folder(path)
    access = settings.access(folder)
    seen: dict[str, str] = {}
    rows: list[Row] = []
    characters = 0
    for where, raw in merge_clips(raw_rows(folder, posixpath.basename(str(path)))):
        row = _row(raw, where, folder)
        if not access.local_files:
            _check_remote(row, folder, where)
        ignored, annotations = settings.ignored_parameters, [*(row["subtitles"] or []), row["events_file"]]
        row["source_stamp"] = source_stamp(row["uri"], row["sha256"], folder, access, ignored)
        row["annotation_stamp"] = annotation_stamp([*filter(None, annotations)], folder, access, ignored)
        if (first := seen.setdefault(row["video_id"], where)) != where:
            raise ManifestError(
                f"{where}: id {format_value(row['id'])} was given by {first} already; give each row its own `id`"
            )
        rows.append(row)
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(rows) == BATCH_ROWS or characters > BATCH_CHARACTERS:
            yield pa.Table.from_pylist(rows, MANIFEST_ROWS)
            rows, characters = [], 0
    if not seen:
        raise ManifestError(f"{posixpath.basename(str(path))}: holds no rows: a corpus of no videos is not built")
    yield pa.Table.from_pylist(rows, MANIFEST_ROWS)


def video_id_of(name: str) -> str:
    """The id of a video in a corpus, from its id or address in the manifest."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def make_manifest(folder: str | Path, say: Callable[[str], None] = lambda line: None) -> list[Row]:
    """A row for each media file below `folder`, with the subtitles and events that lie beside it; absolute paths.

    The id is the path relative to `folder`. A neighbour is `<stem>.vtt`, `<stem>.<language>.vtt`, `<stem>.chapters.vtt`
    (or with another of SUBTITLE_SUFFIXES) and `<stem>.events.jsonl`. What is left out though it may be wanted, such as
    running downloads, is told by `say`. Raises ManifestError where there is no such folder or it holds no media.
    """
    folder = _absolute(folder)
    if not folder.is_dir():
        what = "is a file; name the folder that it lies in" if folder.exists() else "no such folder"
        raise ManifestError(f"{folder}: {what}")
    listing = list_media(folder)
    for why, paths in sorted(listing.left_out.items()):
        say(f"left out: {len(paths)} {why}: {', '.join(sorted(paths)[:5])}{', ...' if len(paths) > 5 else ''}")
    rows = [
        {
            "id": media.path.relative_to(folder).as_posix(),
            "uri": str(media.path),
            "subtitles": [str(p) for p in media.subtitles],
            "events_file": str(media.events_file) if media.events_file else None,
        }
        for media in listing.media
    ]
    if not rows:
        raise ManifestError(f"{folder}: holds no media files")
    for row in rows:
        _check_text(row, str(row["id"]))
        for path in _paths(row):
            try:
                parse_url(path)
            except UrlError as error:
                raise ManifestError(f"{path!r}: {error}; rename the file") from None
    return rows


def _paths(row: Row) -> list[str]:
    return [path for path in (row["uri"], *(row["subtitles"] or []), row["events_file"]) if path]


def check_output(path: Path, *, replace: bool) -> None:
    """Whether a manifest may be written there. Raises ManifestError for another format than JSONL, for a folder, and
    for a file that is there already unless it may be replaced.
    """
    if path.suffix.lower() != ".jsonl":
        raise ManifestError(f"--out {path}: a manifest is written as JSONL: give it a name that ends in .jsonl")
    if path.is_dir():
        raise ManifestError(f"--out {path}: is a folder; name a file in it")
    if path.exists() and not replace:
        raise ManifestError(f"--out {path}: is there already; give another name, or add --replace to write it anew")
    if not path.absolute().parent.is_dir():
        raise ManifestError(f"--out {path}: there is no folder {path.parent}; make it first")


def write_manifest(rows: Iterable[Row], path: str | Path) -> int:
    """Writes rows as JSONL, paths relative to the manifest where it lies above them; gives their number.

    A manifest that is there already is replaced once all rows are written.
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


def _row(raw: Any, where: str, folder: str) -> Row:
    """A checked row with its video_id."""
    if not isinstance(raw, dict):
        raise ManifestError(f"{where}: a row is an object with named columns, not {type(raw).__name__}")
    row: Row = dict.fromkeys(MANIFEST.names)
    for column, value in raw.items():
        target = ALIASES.get(column, column)
        if target not in row:
            accepted = ", ".join([*MANIFEST.names, *ALIASES, *CLIP_COLUMNS])
            raise ManifestError(f"{where}: unknown column {format_value(column)}. Use some of: {accepted}")
        if value is not None and row[target] is not None:
            raise ManifestError(f"{where}: {column!r} says the same as another column: {target!r} is given twice")
        row[target] = value if row[target] is None else row[target]
    _check(row, where)
    try:
        parse_url(resolve(row["uri"], folder))
    except UrlError as error:
        raise ManifestError(f"{where}: uri = {format_value(row['uri'])}: {error}") from None
    name = row["id"] or redacted(row["uri"])
    row["video_id"] = video_id_of(name)
    row["uri"] = as_said(row["uri"], folder)
    row["id"] = row["id"] or (name_below(row["uri"], folder) if row["uri"].startswith("/") else name)
    for column in ("id", "licence", "source", "annotation_licence"):  # free text, which goes into tables and shards
        row[column] = row[column] and without_credentials(row[column])
    row["subtitles"] = [_annotation_path("subtitles", p, folder, where) for p in row["subtitles"] or []] or None
    if row["events_file"]:
        row["events_file"] = _annotation_path("events_file", row["events_file"], folder, where)
    return row


def _check_remote(row: Row, folder: str, where: str) -> None:
    named = {"uri": [row["uri"]], "subtitles": row["subtitles"] or [], "events_file": [row["events_file"] or "://"]}
    for column, paths in named.items():
        for path in paths:
            if "://" not in resolve(path, folder):
                raise ManifestError(
                    f"{where}: {column} = {format_value(path)}: a manifest that lies elsewhere may not name files of "
                    "this machine; set download.allow_local_files to true, or copy the manifest here, if they are yours"
                )


def _check(row: Row, where: str) -> None:
    events = row["events"]
    if events is not None and not isinstance(events, list) and not str(events).lstrip().startswith("["):
        raise ManifestError(f"{where}: events = {format_value(events)}: must be a list of events")
    for name in ("events", "conversations", "conversation_origins"):
        if row[name] is not None and not isinstance(row[name], str):
            # Parsed where the video is annotated: what is wrong with them costs their own video alone.
            row[name] = _json(row[name], f"{where}: {name}", ascii_only=name == "events")
    _check_text(row, where)
    if not row["uri"]:
        raise ManifestError(f"{where}: `uri` is missing: the path or address of the video")
    if row["sha256"] is not None:
        row["sha256"] = row["sha256"].lower()
        if not _SHA256.fullmatch(row["sha256"]):
            raise ManifestError(f"{where}: sha256 = {format_value(row['sha256'])}: not 64 hex digits")
    if row["split"] is not None and not SPLIT.fullmatch(row["split"]):
        raise ManifestError(
            f"{where}: split = {format_value(row['split'])}: use at most 32 letters, digits, `_` and `-`"
        )


def _check_text(row: Row, where: str) -> None:
    for name in _TEXT_COLUMNS:
        value = row.get(name)
        if value is not None and not isinstance(value, str):
            raise ManifestError(f"{where}: {name} = {format_value(value)}: must be text, in quotes")
        if value and ("\0" in value or _HALF_CHARACTER.search(value)):
            raise ManifestError(f"{where}: {name} = {format_value(value)}: holds what is no UTF-8 text; mend it")
    subtitles = row.get("subtitles")
    if subtitles is not None and not (
        isinstance(subtitles, list)
        and all(isinstance(s, str) and s and not _HALF_CHARACTER.search(s) for s in subtitles)
    ):
        raise ManifestError(f"{where}: subtitles = {format_value(subtitles)}: must be a list of paths")


def _json(value: Any, where: str, ascii_only: bool) -> str:
    try:
        return json.dumps(value, ensure_ascii=ascii_only, default=str)  # Parquet holds dates and the like
    except RecursionError:
        raise ManifestError(f"{where}: nested too deeply") from None


def _absolute(path: str | Path) -> Path:
    """Without `..`, links left as they are: a folder may be a link to where the data happens to lie."""
    return Path(os.path.normpath(Path(path).absolute()))


def _annotation_path(column: str, path: str, folder: str, where: str) -> str:
    said = as_said(path, folder)
    if "://" in said and not said.startswith(("s3://", "gs://")):
        raise ManifestError(f"{where}: {column} = {format_value(path)}: must be a path, s3:// or gs://; fetch it first")
    return said


def _relative(column: str, value: Any, folder: Path) -> Any:
    if column == "subtitles":
        return [_relative("uri", path, folder) for path in value]
    if column not in ("uri", "events_file") or "://" in value:
        return value
    path = Path(value)
    return as_said(f"./{path.relative_to(folder)}", str(folder)) if path.is_relative_to(folder) else str(path)
