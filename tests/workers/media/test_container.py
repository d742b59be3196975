import av
import numpy as np
import pytest
from av.stream import Disposition

from schemas.rejects import Reject
from tests.numbered_video import draw
from workers.media.container import check_self_contained, open_media, video_stream
from workers.media.probe import probe


def write_streams(path, *streams):
    """One file of several video streams: (codec, pixel format, size, frames, disposition)."""
    with av.open(str(path), "w") as output:
        made = []
        for codec, pixel_format, size, frames, disposition in streams:
            stream = output.add_stream(codec, rate=10)
            stream.width, stream.height = size
            stream.pix_fmt, stream.disposition = pixel_format, disposition
            made.append((stream, size, frames))
        for stream, size, frames in made:
            for number in range(frames):
                frame = av.VideoFrame.from_ndarray(draw(number, size), "rgb24")
                frame.pts = number
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
    return path


VIDEO = ("libx264", "yuv420p", (96, 48), 20, Disposition.default)
SMALL = ("libx264", "yuv420p", (64, 32), 20, Disposition(0))


@pytest.mark.parametrize(
    ("streams", "index"),
    [
        ([VIDEO], 0),
        ([SMALL, VIDEO], 1),
        ([VIDEO, ("libx264", "yuv420p", (192, 96), 20, Disposition.default)], 0),
        ([("mjpeg", "yuvj420p", (192, 96), 1, Disposition.attached_pic), VIDEO], 0),  # MP4 puts covers last
        ([("mjpeg", "yuvj420p", (192, 96), 1, Disposition.default), VIDEO], 1),
    ],
    ids=["one", "default", "first_default", "cover", "poster"],
)
def test_the_stream_a_player_shows(tmp_path, streams, index):
    path = write_streams(tmp_path / "v.mp4", *streams)
    with open_media(path) as container:
        assert video_stream(container).index == index
    assert probe(path).frame_count == 20


def test_names_are_no_protocols(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_streams(tmp_path / "v.mp4", VIDEO).rename(tmp_path / "concat:a|b.mp4")
    assert probe("concat:a|b.mp4").frame_count == 20


@pytest.mark.parametrize("name", ["http://127.0.0.1/v.mp4", "subfile:,,:v.mp4", "pipe:0", "/proc/self/nothing"])
def test_what_is_no_file_is_not_found(name):
    with pytest.raises(Reject, match="not_found"):
        probe(name)


def test_a_folder_or_a_pipe_is_no_file(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path, tmp_path / "pipe.mp4"):
        with pytest.raises(Reject, match="not_found"):
            probe(path)


def test_external_tracks_of_a_movie_are_not_followed(tmp_path):
    """A MOV whose data reference names another file."""
    path = write_streams(tmp_path / "v.mov", VIDEO)
    data = path.read_bytes()
    position = data.index(b"url \0\0\0\1")
    alias = b"alis\0\0\0\0"
    path.write_bytes(data[:position] + alias + data[position + 8 :])
    (tmp_path / "other.mov").write_bytes(data)
    try:
        assert probe(path).frame_count == 20  # its own data
    except Reject as reject:
        assert reject.reason in ("not_a_video", "no_frames", "no_video_stream")


OWN = {
    "mp4": b"\0\0\0\x20ftypisom",
    "mkv by ffmpeg": b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x23B\x86\x81\x01",
    "mkv by mkvmerge": b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x88matroska",
    "flv": b"FLV\x01\x05\0\0\0\x09",
    "ogg": b"OggS\0\x02",
    "mpeg": b"\0\0\x01\xba",
    "avi": b"RIFF\x10\0\0\0AVI ",
    "mpegts": b"G@\0\x10",
}
LISTS = {
    "hls": b"#EXTM3U\n",
    "concat": b"ffconcat version 1.0\n",
    "hls behind a tag": b"ID3\x04\0\0\0\0\0\0#EXTM3U\n",
    "dash in a long matroska header": b"\x1aE\xdf\xa3\x4f\xffB\x82\x88matroska\xec\x44\xff<MPD dash:profile",
    "dash in matroska of no kind": b"\x1aE\xdf\xa3\xa3<MPD dash:profile",
    "sdp": b"v=0\nc=IN IP4 127.0.0.1\n",
    "nothing": b"",
}


@pytest.mark.parametrize("head", OWN.values(), ids=OWN)
def test_media_may_be_opened_by_other_decoders(tmp_path, head):
    (tmp_path / "v").write_bytes(head)
    check_self_contained(tmp_path / "v")


@pytest.mark.parametrize("head", LISTS.values(), ids=LISTS)
def test_what_could_be_a_list_of_files_may_not(tmp_path, head):
    (tmp_path / "v").write_bytes(head)
    with pytest.raises(Reject, match="a list of other files"):
        check_self_contained(tmp_path / "v")


def test_numbers_are_drawn_to_be_read():
    assert len({draw(number).tobytes() for number in range(64)}) == 64
    assert np.array_equal(draw(0), np.zeros_like(draw(0)))
