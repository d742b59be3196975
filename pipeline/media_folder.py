"""The media files of a folder and the annotation beside them, by name and, where the name tells nothing, by content."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_VIDEO = """3g2 3gp asf av1 avi divx dv f4v flv h264 h265 hevc ivf m1v m2ts m2v m4v mjpeg mjpg mkv mov mp4 mpeg mpg mts
mxf nut obu ogm ogv qt rm rmvb ts vob webm wmv y4m"""
# Never a video: these are passed over without a look.
_OTHER = """7z aac arrow bin bmp bz2 csv db doc docx duckdb feather flac gif gz h5 ico jpeg jpg json jsonl m4a md
mp3 npy npz ods odt ogg opus parquet pdf pickle pkl png pptx pt pyc rar safetensors so sqlite svg tar tgz tif tiff
txt wav webp xlsx xz zip zst"""
VIDEO_SUFFIXES = frozenset(f".{name}" for name in _VIDEO.split())
# In the order in which one text in two formats is looked for.
SUBTITLE_SUFFIXES = (".vtt", ".srt", ".ass", ".ssa", ".ttml", ".dfxp")
_OTHER_SUFFIXES = frozenset([f".{name}" for name in _OTHER.split()] + list(SUBTITLE_SUFFIXES))
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_TRACKS = ("chapters", "descriptions")  # as in film.chapters.vtt
_SNIFF_BYTES = 4096


@dataclass(frozen=True)
class Media:
    """A media file and its neighbours."""

    path: Path
    subtitles: list[Path] = field(default_factory=list)
    events_file: Path | None = None


def list_media(folder: Path) -> Iterator[Media]:
    """All media files below a folder, in the order of their paths; hidden files and folders are left out.

    A file counts as media by its suffix, even when it is empty or something else inside: then the build names it in
    the rejects. A file of an unknown suffix counts when it is binary.
    """
    files = [p for p in folder.rglob("*") if not _hidden(p.relative_to(folder)) and p.is_file()]
    subtitles, events = _by_stem(files)
    for path in sorted(files, key=lambda p: p.relative_to(folder).as_posix()):
        if is_media(path):
            stem = path.with_suffix("")
            yield Media(path, [p for _, _, p in sorted(subtitles.get(stem, ()))], events.get(stem))


def is_media(path: Path) -> bool:
    """Whether a file is taken for a video."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES or suffix in _OTHER_SUFFIXES:
        return suffix in VIDEO_SUFFIXES
    with path.open("rb") as stream:
        return b"\0" in stream.read(_SNIFF_BYTES)


def _by_stem(files: list[Path]) -> tuple[dict[Path, list[tuple[str, int, Path]]], dict[Path, Path]]:
    """Annotation files by the path of the video they belong to, less its suffix.

    Subtitles as (language, rank of the suffix, path): sorted, the one without a language comes first and .vtt before
    the others.
    """
    subtitles: dict[Path, list[tuple[str, int, Path]]] = {}
    events = {}
    for path in files:
        suffix = path.suffix.lower()
        if path.name.endswith(".events.jsonl"):
            events[path.with_name(path.name[: -len(".events.jsonl")])] = path
        elif suffix in SUBTITLE_SUFFIXES:
            rank = SUBTITLE_SUFFIXES.index(suffix)
            stem, _, language = path.stem.rpartition(".")
            subtitles.setdefault(path.with_suffix(""), []).append(("", rank, path))
            if stem and (_LANGUAGE.fullmatch(language) or language in _TRACKS):
                subtitles.setdefault(path.with_name(stem), []).append((language, rank, path))
    return subtitles, events


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
