"""What benchmarks hold: ids, files and questions of annotation files, of folders of videos and of corpora."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.inputs.annotation_files import read_files
from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.media_folder import is_media, list_media
from pipeline.tables.catalog import open_catalog
from pipeline.tables.closed_duckdb import dict_rows
from stages.annotations.text import AnnotationError

_LETTER = re.compile(r"^\([A-H]\) ", re.M)
# As `question_rows` names the part of the video that a question is about.
_PART = re.compile(r"^From [\d.]+ to [\d.]+ seconds: ")
# Of a corpus that others published, whose columns may have any type.
_VIDEOS = "select name::varchar as name, uri::varchar as uri, sha256::varchar as sha256 from videos"
_QUESTIONS = """
    select coalesce(question::varchar, '') as question, coalesce(options::varchar[], []) as options from qa"""
_HINT = "Answer with the letter and the text of the right option."


@dataclass
class Known:
    """Holds what one of the given files, folders or corpora has."""

    name: str
    ids: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    """Id by SHA-256."""
    questions: list[str] = field(default_factory=list)
    corpus: str = ""
    folder: str = ""
    """Of videos."""
    unreadable: list[str] = field(default_factory=list)
    """Files below a folder that are neither videos nor annotations of a known form."""
    unread: Counter[str] = field(default_factory=Counter)
    """Rows without a question that can be compared, by reason."""


def read_known(named: str) -> Known:
    """Reads ids, checksums and questions of a file, folder or corpus. Raises ManifestError."""
    if "://" in named or (Path(named) / "tables" / "videos.parquet").is_file():
        return _read_corpus(named)
    path = Path(named)
    if not path.exists():
        raise ManifestError(f"{named}: no such file, folder of videos or corpus")
    known = Known(path.name)
    if path.is_dir():
        for media in list_media(path).media:
            with media.path.open("rb") as stream:
                known.files[hashlib.file_digest(stream, "sha256").hexdigest()] = media.path.name
            known.ids.add(media.path.name)
            known.folder = named
    for file, read in read_files(path, ""):
        if path.is_dir() and is_media(file):
            continue
        try:
            for _, entries in read:
                for entry in entries:
                    known.ids |= {name for name in (entry.video, entry.clip_of) if name}
                    known.questions += [_text(turn["value"]) for turns in entry.conversations for turn in turns[::2]]
                    known.questions += map(_text, entry.questions)
                    known.unread.update({} if entry.questions else entry.dropped)
        except AnnotationError as error:
            if not path.is_dir():
                raise ManifestError(f"{file.name}: {error}") from None
            known.unreadable.append(file.name)
    if not (known.ids or known.files or known.questions):
        raise ManifestError(f"{named}: holds no video, no id and no question that can be read")
    return known


def _read_corpus(named: str) -> Known:
    known = Known(named.rstrip("/").rpartition("/")[2], corpus=named)
    with open_catalog(named) as catalog:
        for video in dict_rows(catalog.sql(_VIDEOS)):
            known.ids |= {name for name in (video["name"], video["uri"]) if name}
            if video["sha256"]:
                known.files[video["sha256"]] = video["name"]
        for pair in dict_rows(catalog.sql(_QUESTIONS)):
            known.questions.append("\n".join([pair["question"], *(option or "" for option in pair["options"])]))
    return known


def _text(value: str) -> str:
    """Returns a question with its options, without the markup of the conversation."""
    return _PART.sub("", _LETTER.sub("", value.replace("<image>", "").replace(_HINT, "")).strip())
