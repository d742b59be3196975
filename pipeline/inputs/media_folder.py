"""Finds the media files of a folder and the annotation files beside them."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_VIDEO = """3g2 3gp asf av1 avi divx dv f4v flv h264 h265 hevc ivf m1v m2ts m2v m4v mjpeg mjpg mkv mov mp4 mpeg mpg mts
mxf nut obu ogm ogv qt rm rmvb ts vob webm wmv y4m"""
# Never videos: files with these suffixes are not opened.
_OTHER = """7z aac arrow bin bmp bz2 csv db doc docx duckdb feather flac gif gz h5 ico jpeg jpg json jsonl m4a md
mp3 npy npz ods odt ogg opus parquet pdf pickle pkl png pptx pt pyc rar safetensors so sqlite svg tar tgz tif tiff
txt wav webp xlsx xz zip zst"""
VIDEO_SUFFIXES = frozenset(f".{name}" for name in _VIDEO.split())
# In the order of preference, if a text exists in several formats.
SUBTITLE_SUFFIXES = (".vtt", ".srt", ".ass", ".ssa", ".ttml", ".dfxp")
_OTHER_SUFFIXES = frozenset([f".{name}" for name in _OTHER.split()] + list(SUBTITLE_SUFFIXES))
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_TRACKS = ("chapters", "descriptions")  # as in film.chapters.vtt
_SNIFF_BYTES = 4096
# Suffixes of incomplete files of yt-dlp, browsers, aria2, axel, WinSCP, wget, BitTorrent clients and others.
_DOWNLOAD = re.compile(
    r"\.(part(-Frag\d+)?(\.part)?|ytdl|crdownload|download|opdownload|partial|filepart|aria2|st|!ut|!qB|!bt|bc!"
    r"|fdmdownload|unfinished|incomplete|tmp|temp)$|\.temp\.\w+$",
    re.IGNORECASE,
)
_STREAM = re.compile(r"\.f\d[\w-]*\.\w+$")  # of yt-dlp, before the audio has been downloaded and merged
_BESIDE_DOWNLOAD = (".aria2", ".st")  # aria2 and axel use the final name, with such a file beside it


@dataclass(frozen=True)
class Media:
    """Names a media file and the annotation files beside it."""

    path: Path
    subtitles: list[Path] = field(default_factory=list)
    events_file: Path | None = None


@dataclass
class Listing:
    """Lists the media files below a folder."""

    folder: Path
    media: list[Media] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Paths, relative to the folder, of files that were left out although they may be wanted, by reason."""

    def leave_out(self, why: str, path: Path) -> None:
        """Records a file that is left out."""
        self.left_out.setdefault(why, []).append(path.relative_to(self.folder).as_posix())


def list_media(folder: Path) -> Listing:
    """Lists all media files below a folder, in the order of their paths, without hidden files and folders.

    Links to folders are followed, each folder once. A suffix of VIDEO_SUFFIXES makes a file a media file, even if it is
    empty or has other content; the build then rejects it. A file with an unknown suffix is a media file if it is
    binary. Files of running downloads are left out, since the build would use the incomplete file.
    """
    listing = Listing(folder)
    files = sorted(_files(folder, listing), key=lambda path: path.relative_to(folder).as_posix())
    running = {(path.parent, _title(path)) for path in files if _DOWNLOAD.search(path.name)}
    ready = []
    for path in files:
        if (
            _DOWNLOAD.search(path.name)
            or (_STREAM.search(path.name) and (path.parent, _title(path)) in running)
            or any(path.with_name(path.name + suffix).exists() for suffix in _BESIDE_DOWNLOAD)
        ):
            listing.leave_out("downloads that are still running", path)
        elif not os.access(path, os.R_OK):
            listing.leave_out("files that may not be read", path)
        else:
            ready.append(path)
    subtitles, events = _by_stem(ready)
    for path in filter(is_media, ready):
        stem = path.with_suffix("")
        listing.media.append(Media(path, [p for _, _, p in sorted(subtitles.get(stem, ()))], events.get(stem)))
    used = {path for media in listing.media for path in (*media.subtitles, media.events_file)}
    named = {path for found in subtitles.values() for _, _, path in found} | {*events.values()}
    for path in sorted(named - used):
        listing.leave_out("subtitle or events files that no video beside them is called like", path)
    return listing


def _title(path: Path) -> str:
    """Returns the name of a download without the parts that distinguish its streams."""
    return _STREAM.sub("", _DOWNLOAD.sub("", path.name))


def _files(folder: Path, listing: Listing) -> Iterator[Path]:
    """Yields all files that are not hidden. Linked folders come last, so that files are listed by their own path."""
    folders, visited = [folder], set()

    def unreadable(error: OSError) -> None:
        listing.leave_out("folders that may not be read", Path(error.filename))

    while folders:
        linked: list[Path] = []
        for top in folders:
            for place, names, files in os.walk(top, onerror=unreadable):
                status = Path(place).stat()
                if (status.st_dev, status.st_ino) in visited:
                    listing.leave_out("links to folders that are listed already", Path(place))
                    names.clear()
                    continue
                visited.add((status.st_dev, status.st_ino))
                shown = [Path(place, name) for name in names if not name.startswith(".")]
                linked += [path for path in shown if path.is_symlink()]
                names[:] = [path.name for path in shown if not path.is_symlink()]
                for path in (Path(place, name) for name in files if not name.startswith(".")):
                    if path.is_file():
                        yield path
                    elif path.is_symlink():
                        listing.leave_out("broken links", path)
        folders = sorted(linked)


def is_media(path: Path) -> bool:
    """Returns whether a file is a media file, by its suffix or else by its content."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES or suffix in _OTHER_SUFFIXES:
        return suffix in VIDEO_SUFFIXES
    with path.open("rb") as stream:
        return b"\0" in stream.read(_SNIFF_BYTES)


def _by_stem(files: list[Path]) -> tuple[dict[Path, list[tuple[str, int, Path]]], dict[Path, Path]]:
    """Returns subtitles and events files by the path of their video without its suffix.

    Subtitles are (language, rank of the suffix, path), so that sorting puts the file without a language first.
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
