"""Which files of a folder are media, and what lies beside them."""

import pytest

from pipeline.media_folder import is_media, list_media


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


def test_neighbours_by_stem_and_language(tmp_path):
    videos = ["a.mp4", "a.webm", "a.b.mp4"]
    texts = ["a.vtt", "a.srt", "a.de.vtt", "a.pt-BR.srt", "a.b.fr.vtt", "a_notes.vtt", "a.commentary7.vtt"]
    texts += ["a.ass", "a.ttml", "a.chapters.vtt"]
    for name in [*videos, *texts]:
        (tmp_path / name).write_bytes(b"")
    found = {media.path.name: [p.name for p in media.subtitles] for media in list_media(tmp_path)}
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
    assert [m.path.relative_to(tmp_path).as_posix() for m in list_media(tmp_path)] == ["a.mp4", "b/a.mp4", "b/z.mp4"]
