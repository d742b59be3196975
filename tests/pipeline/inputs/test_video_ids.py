"""Which video of a folder an id of a data set means."""

import pytest

from pipeline.inputs.video_ids import VideoIndex, video_of_file

VIDEOS = [
    "train/v_QOlSCBRmfWY.mp4",
    "dQw4w9WgXcQ.webm",
    "A song [jReX7qKU2yc].mkv",
    "Old-name-Pu92wJ-7UTQ.mp4",
    "s13-d21.avi",
    "deep/er/film.mp4",
    "other/film.mp4",
    "1@N01_2.mov",
    "-tCQ4tCQdWE.mp4",
]


@pytest.mark.parametrize(
    ("video", "number"),
    [
        ("v_QOlSCBRmfWY", 0), ("QOlSCBRmfWY", 0), ("v_QOlSCBRmfWY.mp4", 0), ("val/v_QOlSCBRmfWY.mkv", 0),
        ("https://www.youtube.com/watch?v=QOlSCBRmfWY&t=1", 0),
        ("dQw4w9WgXcQ", 1), ("v_dQw4w9WgXcQ", 1), ("https://youtu.be/dQw4w9WgXcQ", 1),
        ("https://www.youtube.com/embed/dQw4w9WgXcQ?start=1", 1), ("https://example.org/a/dQw4w9WgXcQ.mp4", 1),
        ("jReX7qKU2yc", 2), ("Pu92wJ-7UTQ", 3), ("s13-d21.avi", 4), ("s13-d21", 4),
        ("deep/er/film.mp4", 5), ("other/film", 6), ("film.mp4", None), ("film", None),
        ("1@N01_2.mov", 7), ("-tCQ4tCQdWE", 8), ("nothing", None), ("", None), ("https://[", None),
        ("https://example.org/watch?v=dQw4w9WgXcQ", None),
    ],
)  # fmt: skip
def test_ids_as_data_sets_write_them(video, number):
    index = VideoIndex(VIDEOS)
    assert index.find(video) == number
    assert index.ambiguous == ({video} if video in ("film.mp4", "film") else set())


def test_the_name_itself_goes_before_what_it_may_be_called():
    assert VideoIndex(["v_abc.mp4", "abc.mp4"]).find("abc") == 1
    assert VideoIndex(["abc.mp4", "v_abc.mp4"]).find("abc") == 0
    assert VideoIndex(["abc.mp4", "abc.mkv"]).find("abc.mkv") == 1


@pytest.mark.parametrize(
    ("name", "video"),
    [
        ("-tCQ4tCQdWE.csv", "-tCQ4tCQdWE"), ("007EvOaWFOA_caption.json", "007EvOaWFOA"), ("a.en-GB.vtt", "a"),
        ("a.info.json", "a"), ("a_asr.jsonl", "a"), ("_asr.jsonl", "_asr"), ("a.b.chapters.txt", "a.b"),
    ],
)  # fmt: skip
def test_files_named_after_their_video(name, video):
    assert video_of_file(name) == video
