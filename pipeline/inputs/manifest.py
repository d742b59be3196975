"""Reads the user's manifest: one row per video, or one row per clip of a video. Formats: JSONL, JSON, CSV, Parquet.

All columns but `uri` may be absent or null:

| column | content |
|---|---|
| `uri` | the file: a path, `file://`, `http(s)://`, `s3://` or `gs://`; the column may be called `path` or `video` |
| `id` | a unique name; default: the uri as written, without credentials and query |
| `sha256` | 64 hex digits; a file with another checksum is rejected |
| `licence`, `source` | free text that is copied into every sample |
| `split` | for example `train`: letters, digits, `_` and `-` |
| `subtitles` | list of WebVTT, SubRip, ASS or TTML files (CSV: separated by `;`); the language as in `film.en.vtt` |
| `events_file` | JSONL file with one event per line: `{"start_s": 1, "end_s": 2.5, "kind": "event", "text": "..."}` |
| `events` | the same as a list (CSV: JSON); a bad one rejects its video |
| `conversations` | in LLaVA form, not changed: `[{"from": "human", "value": "..."}, ...]`, or a list of these |
| `conversation_origins` | `{"file", "row", "format", "licence"}` per conversation; written by `longvid manifest` |
| `annotation_licence` | free text: licence of those events, subtitles and conversations that state none |
| `start_s`, `end_s`, `text` | a clip; all rows of one `uri` are one video, see `merge_clips` and `write_qa.clips` |

Kinds of events are `event` (default), `scene`, `chapter`, `caption`, `speech` and `clip`. Paths may be relative to the
folder of the manifest. A manifest on s3:// or gs:// may not name files of this machine, unless
`download.allow_local_files` is set.
"""

import posixpath
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipeline.inputs.addresses import annotation_stamp, manifest_folder, source_stamp
from pipeline.inputs.clip_lists import merge_clips
from pipeline.inputs.manifest_checks import check_no_local_files, checked_row
from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.manifest_task import raw_rows
from schemas.rows import Row
from schemas.tables.media import MANIFEST
from stages.download import DownloadConfig
from workers.fetch.redaction import format_value

# The stamps contain size and modification time of the files that a row names, so that a changed file is read again.
MANIFEST_ROWS = pa.schema([*MANIFEST, *((n, pa.string()) for n in ("video_id", "source_stamp", "annotation_stamp"))])
BATCH_ROWS, BATCH_CHARACTERS = 512, 1 << 24


def iterate_manifest(path: str | Path, settings: DownloadConfig) -> Iterator[pa.Table]:
    """Yields a manifest as tables of the schema MANIFEST_ROWS, whose paths are not resolved yet (see `resolve`).

    Holds one batch of rows and all ids in memory.

    Raises:
        ManifestError: a row is invalid, or two rows have the same id; the first such row is named. Also if a manifest
            on an object store names a file of this machine and `settings` do not allow it, since its author may not be
            allowed to read files here.
    """
    folder = manifest_folder(path)
    access = settings.access(folder)
    seen: dict[str, str] = {}
    rows: list[Row] = []
    characters = 0
    for where, raw in merge_clips(raw_rows(folder, posixpath.basename(str(path)))):
        row = checked_row(raw, where, folder)
        if not access.local_files:
            check_no_local_files(row, folder, where)
        ignored, annotations = settings.ignored_parameters, [*(row["subtitles"] or []), row["events_file"]]
        row["source_stamp"] = source_stamp(row["uri"], row["sha256"], folder, access, ignored)
        row["annotation_stamp"] = annotation_stamp([*filter(None, annotations)], folder, access, ignored)
        if (first := seen.setdefault(row["video_id"], where)) != where:
            raise ManifestError(f"{where}: id = {format_value(row['id'])}: also in {first}; give each row its own id")
        rows.append(row)
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(rows) == BATCH_ROWS or characters > BATCH_CHARACTERS:
            yield pa.Table.from_pylist(rows, MANIFEST_ROWS)
            rows, characters = [], 0
    if not seen:
        raise ManifestError(f"{posixpath.basename(str(path))}: the manifest has no rows; add at least one video")
    yield pa.Table.from_pylist(rows, MANIFEST_ROWS)
