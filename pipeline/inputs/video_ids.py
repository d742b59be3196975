"""Matches ids of videos, as data sets write them, with the videos of a folder."""

import posixpath
import re
from collections.abc import Iterable, Iterator

_ADDRESS = re.compile(r"https?://[^?#]*", re.IGNORECASE)
_YOUTUBE = re.compile(
    r"https?://(?:www\.|m\.)?(?:youtu\.be/|youtube(?:-nocookie)?\.com/(?:embed/|shorts/|v/|watch\?(?:[^#]*&)?v=))"
    r"([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-])",
    re.IGNORECASE,
)
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
# File names of yt-dlp and youtube-dl: `Title [dQw4w9WgXcQ]`, `Title-dQw4w9WgXcQ`.
_NAMED = re.compile(r".*\[([A-Za-z0-9_-]{11})\]|.+?-([A-Za-z0-9_-]{11})")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{2,4}$")
# Annotation files of the video abc: `abc_caption.json`, `abc.en.vtt`, `abc.info.json`.
_ABOUT = re.compile(
    r"(?:_(?:captions?|asr|cut_meta|transcript|events)|\.(?:info|chapters|events|[a-z]{2,3}(?:-[A-Za-z]+)?))$"
)
_AMBIGUOUS = -1


class VideoIndex:
    """Finds videos by ids. An id that matches several videos equally well finds none.

    Args:
        videos: path relative to the folder, or id, of each video.
    """

    def __init__(self, videos: Iterable[str]) -> None:
        self._found: dict[str, tuple[int, int]] = {}
        self.ambiguous: set[str] = set()
        """Ids passed to `find` that match several videos."""
        for number, video in enumerate(videos):
            for rank, key in names_of(video):
                known_rank, known = self._found.get(key, (rank + 1, number))
                if rank < known_rank:
                    self._found[key] = rank, number
                elif rank == known_rank and known != number:
                    self._found[key] = rank, _AMBIGUOUS

    def find(self, video: str) -> int | None:
        """Returns the number of the video that an id matches; None if it matches none or several."""
        for key in meanings_of(video):
            _, number = self._found.get(key, (0, None))
            if number == _AMBIGUOUS:
                self.ambiguous.add(video)
                return None
            if number is not None:
                return number
        return None


def video_of_file(name: str) -> str:
    """Returns the id of the video that an annotation file is named after."""
    stem = posixpath.splitext(name)[0]
    while (short := _ABOUT.sub("", stem)) != stem and short:
        stem = short
    return stem


def names_of(video: str) -> Iterator[tuple[int, str]]:
    """Yields names of a video with their rank; a lower rank is more specific."""
    stem = _SUFFIX.sub("", video)
    name = posixpath.basename(stem)
    named = _NAMED.fullmatch(name)
    youtube_id = (named[1] or named[2]) if named and not _YOUTUBE_ID.fullmatch(name) else ""
    # The path of a video in the top folder is no more specific than its name.
    path = stem if stem != name else ""
    for rank, key in enumerate((video, path, posixpath.basename(video), name, name.removeprefix("v_"), youtube_id)):
        if key:
            yield rank, key


def meanings_of(video: str) -> Iterator[str]:
    """Yields the names that an id may refer to, the most similar first."""
    keys = [video, _SUFFIX.sub("", video)]
    if address := _ADDRESS.match(video):
        youtube, name = _YOUTUBE.match(video), posixpath.basename(address[0])
        keys = [youtube[1] if youtube else "", name, _SUFFIX.sub("", name)]
    else:
        keys += [posixpath.basename(key) for key in keys]
    keys += [key.removeprefix("v_") for key in keys]
    yield from dict.fromkeys(filter(None, keys))
