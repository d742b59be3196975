"""Which files of a folder are media, and what lies beside them."""

from pathlib import Path

import pytest

from pipeline.inputs.media_folder import is_media, list_media


def listed(folder: Path) -> list[str]:
    return [media.path.relative_to(folder).as_posix() for media in list_media(folder).media]


@pytest.mark.parametrize(
    ("name", "content", "media"),
    [
        ("a.mp4", b"", True),
        ("text.mp4", b"only text", True),
        ("A.MKV", b"\0", True),
        ("raw.h264", b"text", True),
        ("unknown.bin5", b"\0\0\1", True),
        ("no_suffix", b"RIFF\0\0", True),
        ("README", b"words", False),
        ("b.en.vtt", b"\xff\xfeW\0E\0", False),
        ("b.ssa", b"\xff\xfeW\0E\0", False),
        ("poster.jpg", b"\0", False),
        ("events.jsonl", b"{}", False),
    ],
)
def test_by_suffix_and_else_by_content(tmp_path, name, content, media):
    (tmp_path / name).write_bytes(content)
    assert is_media(tmp_path / name) == media


def test_subtitles_and_events_of_no_video_are_named(tmp_path):
    for name in ("a.mp4", "a.en.vtt", "a_notes.vtt", "b.events.jsonl", "b.srt", "a.events.jsonl", "c.jsonl"):
        (tmp_path / name).write_bytes(b"")
    why = "subtitle or events files that no video beside them is called like"
    assert list_media(tmp_path).left_out == {why: ["a_notes.vtt", "b.events.jsonl", "b.srt"]}


def test_neighbours_by_stem_and_language(tmp_path):
    videos = ["a.mp4", "a.webm", "a.b.mp4"]
    texts = ["a.vtt", "a.srt", "a.de.vtt", "a.pt-BR.srt", "a.b.fr.vtt", "a_notes.vtt", "a.commentary7.vtt"]
    texts += ["a.ass", "a.ttml", "a.chapters.vtt"]
    for name in [*videos, *texts]:
        (tmp_path / name).write_bytes(b"")
    found = {media.path.name: [p.name for p in media.subtitles] for media in list_media(tmp_path).media}
    of_a = ["a.vtt", "a.srt", "a.ass", "a.ttml", "a.chapters.vtt", "a.de.vtt", "a.pt-BR.srt"]
    assert found == {
        "a.b.mp4": ["a.b.fr.vtt"],
        "a.mp4": of_a,
        "a.webm": of_a,
    }


def test_hidden_files_are_left_out_and_the_order_is_that_of_the_paths(tmp_path):
    for name in ("b/z.mp4", "a.mp4", ".trash/c.mp4", ".d.mp4", "b/a.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert listed(tmp_path) == ["a.mp4", "b/a.mp4", "b/z.mp4"]


@pytest.mark.parametrize(
    "names",
    [
        ["a.mp4.part"],
        ["a.mp4.part", "a.mp4.ytdl", "a.mp4.part-Frag12", "a.mp4.part-Frag13.part"],
        ["a.temp.mp4"],
        ["a.f137.mp4", "a.f140.m4a.part"],
        ["a.mp4.crdownload"],
        ["a.mp4.download"],
        ["A.MP4.PART"],
        ["a.mp4", "a.mp4.aria2"],
        ["a.mp4.!qB"],
        ["a.mp4.tmp"],
    ],
    ids=str,
)
def test_a_running_download_is_left_out_and_named(tmp_path, names):
    for name in [*names, "done.mp4", "done.f137.mp4"]:
        (tmp_path / name).write_bytes(b"\0\0")
    assert listed(tmp_path) == ["done.f137.mp4", "done.mp4"]
    assert list_media(tmp_path).left_out == {"downloads that are still running": sorted(names)}


def test_links_to_folders_are_followed_and_loops_are_not(tmp_path):
    for name in ("lib/a.mp4", "lib/deep/b.mp4", "elsewhere/c.mp4", "elsewhere/c.vtt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    lib = tmp_path / "lib"
    (lib / "more").symlink_to("../elsewhere")
    (lib / "deep" / "up").symlink_to("..")
    (lib / "again").symlink_to("deep")
    (lib / ".hidden").symlink_to("../elsewhere")
    (lib / "gone.mp4").symlink_to("nowhere.mp4")
    (lib / "d.mp4").symlink_to("../elsewhere/c.mp4")
    (tmp_path / "elsewhere" / "back").symlink_to(lib)
    assert listed(lib) == ["a.mp4", "d.mp4", "deep/b.mp4", "more/c.mp4"]
    assert [p.name for p in list_media(lib).media[3].subtitles] == ["c.vtt"]
    assert list_media(lib).left_out == {
        "links to folders that are listed already": ["again", "deep/up", "more/back"],
        "broken links": ["gone.mp4"],
    }
