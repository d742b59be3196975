import json
from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from schemas.rejects import Reject
from tests.numbered_video import write_video
from tests.planned_video import access_points
from workers.media.probe import probe

# What a full decode found less than what demuxing can tell: a packet that is there and doesn't decode.
UNDECODABLE_PACKETS = {"odd/decord_corrupted.mp4": 1}
# Counted there from where the sound starts, before the first frame.
LEAD_IN_S = {"odd/torchcodec_non_zero_start.mp4": 8.333 - 8.266}


def reason_of(path):
    with pytest.raises(Reject) as rejected:
        probe(path)
    assert str(path.parent) not in rejected.value.detail
    return rejected.value.reason


def test_the_real_files_agree_with_their_facts(videos):
    kept = 0
    for line in (videos / "facts.jsonl").read_text().splitlines():
        known = json.loads(line)
        if not known["decoded_frames"]:
            assert reason_of(videos / known["path"]) in (
                "no_video_stream",
                "encrypted",
                "not_a_video",
                "no_frames",
                "empty_file",
            )
            continue
        found, kept = probe(videos / known["path"]), kept + 1
        assert found.frame_count == known["decoded_frames"] + UNDECODABLE_PACKETS.get(known["path"], 0), known["path"]
        frame_s = 1 / found.average_fps
        duration_s = found.duration_s + LEAD_IN_S.get(known["path"], 0)
        assert abs(duration_s - known["decoded_duration_s"]) < max(0.05, 1.01 * frame_s), known["path"]
        assert found.codec == known["codec"]
        assert found.pixel_format == known["pix_fmt"]
        assert (found.audio_codec or "") == known["audio"].partition("+")[0]
        assert ("header_duration_off" in found.flags) == (known["header_duration_s"] > 3 * known["decoded_duration_s"])
    assert kept == 38


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("odd/audio_only_in_mp4.mp4", "no_video_stream"),
        ("odd/opencast_nostreams.mp4", "no_video_stream"),
        ("odd/text_file_named.mp4", "not_a_video"),
        ("odd/zero_bytes.mp4", "empty_file"),
        ("odd/encrypted_nokey.mp4", "encrypted"),
        ("odd/trunc_mp4_header2669s_0frames.mp4", "no_frames"),
    ],
)
def test_reasons(videos, name, reason):
    assert reason_of(videos / name) == reason


def test_rotation_is_clockwise_and_sizes_are_as_shown(videos):
    for name, degrees in (("odd/decord_rot90.mov", 90), ("odd/decord_rot270.mov", 270)):
        found = probe(videos / name)
        assert (found.rotation, found.width, found.height) == (degrees, 320, 568)


def test_playlists_never_open_another_file(tmp_path):
    video = write_video(tmp_path / "v.mp4", np.arange(30) / 30)
    playlists = {
        "hls.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{video}\n#EXT-X-ENDLIST\n",
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{video}\n#EXT-X-ENDLIST\n",
        "concat.mp4": f"ffconcat version 1.0\nfile {video}\n",
        "dash.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>',
        "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    }
    for name, text in playlists.items():
        (tmp_path / name).write_text(text)
        assert reason_of(tmp_path / name) == "not_a_video", name


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_still_images_are_no_videos(tmp_path, kind):
    Image.new("RGB", (64, 64), (200, 10, 10)).save(tmp_path / "v.mp4", kind)
    assert reason_of(tmp_path / "v.mp4") == "not_a_video"


def test_cover_art_is_no_video(tmp_path):
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as output:
        audio = output.add_stream("mp3", rate=44100, layout="mono")
        cover = output.add_stream("png", rate=1)
        cover.width = cover.height = 32
        cover.pix_fmt, cover.disposition = "rgb24", av.stream.Disposition.attached_pic
        output.mux(cover.encode(av.VideoFrame(32, 32, "rgb24")))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 44100
        output.mux(audio.encode(samples))
        output.mux(audio.encode())
    assert reason_of(path) == "no_video_stream"


def test_a_clock_that_starts_anywhere_is_put_to_zero(tmp_path):
    path = write_video(tmp_path / "v.ts", 1000 + np.arange(60) / 30)
    assert probe(path).first_frame_s == 0
    assert probe(write_video(tmp_path / "v.mp4", 3 + np.arange(60) / 30)).first_frame_s == pytest.approx(3, abs=0.04)


def test_a_spliced_clock_goes_on(tmp_path):
    parts = [write_video(tmp_path / f"{n}.ts", start + np.arange(60) / 30) for n, start in enumerate((500, 20, 9000))]
    (tmp_path / "v.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    found = probe(tmp_path / "v.ts")
    assert found.frame_count == 180
    assert found.duration_s == pytest.approx(6, abs=0.5)
    assert "timestamp_jumps" in found.flags
    assert len(access_points(tmp_path / "v.ts").pts) == 1


def test_truncation_is_flagged_and_what_is_there_counts(tmp_path):
    path = write_video(tmp_path / "v.mkv", np.arange(600) / 30, time_base=Fraction(1, 1000))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = probe(path)
    assert {"truncated", "header_duration_off"} <= set(found.flags)
    assert 5 < found.duration_s < 15
    assert found.frame_count == pytest.approx(found.duration_s * 30, abs=2)


def test_entry_points_are_key_frames(tmp_path):
    path = write_video(tmp_path / "v.mp4", np.arange(90) / 30, gop=15, options={"sc_threshold": "0"})
    np.testing.assert_allclose(access_points(path).time_s, np.arange(6) / 2, atol=1e-3)


@pytest.mark.parametrize("duration", ["1.5:00:00.00000000", "00:00:0.3.0000000", "00:00:\u00b2", "never"])
def test_a_length_that_cannot_be_read_is_none(tmp_path, duration):
    path = write_video(tmp_path / "v.mkv", np.arange(90) / 30, time_base=Fraction(1, 1000))
    data = path.read_bytes()
    assert data.count(b"00:00:03.000000000") == 1
    path.write_bytes(data.replace(b"00:00:03.000000000", duration.encode().ljust(18)))
    assert probe(path).header_duration_s == pytest.approx(3, abs=0.1)  # the container's


def test_times_beyond_all_clocks_are_undecodable(tmp_path):
    path, fragments = write_video(tmp_path / "v.mp4", np.arange(90) / 30), {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(path)) as source, av.open(str(tmp_path / "f.mp4"), "w", options=fragments) as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    data = (tmp_path / "f.mp4").read_bytes()
    at = data.index(b"tfdt")
    assert data[at + 4] == 1  # 64 bits
    path.write_bytes(data[: at + 8] + (2**62).to_bytes(8, "big") + data[at + 16 :])
    assert reason_of(path) == "undecodable"
    with pytest.raises(Reject, match="no clock"):
        access_points(path)


OPAQUE = np.array([[255, 0, 0, 0], [255, 250, 10, 10]] + [[0, 0, 0, 0]] * 254, np.uint8)  # ARGB
PALETTES = {
    "opaque where it is used": (OPAQUE, False),
    "transparent": (OPAQUE * np.array([[1], [0]] * 128, np.uint8), True),
}


@pytest.mark.parametrize(("palette", "alpha"), PALETTES.values(), ids=PALETTES)
def test_a_palette_has_alpha_where_colours_in_use_are_transparent(tmp_path, palette, alpha):
    pixels = np.tile(np.array([0, 1], np.uint8), (48, 32))
    with av.open(str(tmp_path / "v.mov"), "w") as output:
        stream = output.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "pal8"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray((pixels, palette), "pal8")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    found = probe(tmp_path / "v.mov")
    assert found.pixel_format == "pal8"
    assert ("alpha" in found.flags) == alpha


@pytest.mark.parametrize(
    ("primaries", "transfer", "flags"),
    [(9, 14, {"bt2020"}), (9, 16, {"bt2020", "hdr"}), (9, 18, {"bt2020", "hdr"}), (1, 1, set())],
)
def test_colours_that_screens_do_not_have_are_flagged(tmp_path, primaries, transfer, flags):
    params = f"log-level=none:colorprim={primaries}:transfer={transfer}:colormatrix={primaries}"
    path = write_video(tmp_path / "v.mp4", np.arange(5) / 5, codec="libx265", options={"x265-params": params})
    assert set(probe(path).flags) & {"bt2020", "hdr"} == flags


def test_a_stream_that_appears_on_the_way_ends_nothing(tmp_path):
    """The header promises video alone; a sound tag comes in the middle."""
    path = write_video(tmp_path / "v.flv", np.arange(90) / 30, time_base=Fraction(1, 1000))
    data, at, tags = path.read_bytes(), 13, []  # tags of type, length (3), time (4), stream (3)
    while at < len(data):
        tags.append(data[at : (at := at + 15 + int.from_bytes(data[at + 1 : at + 4], "big"))])
    video = [number for number, tag in enumerate(tags) if tag[0] == 9]
    middle_at = video[60]
    middle = tags[middle_at]
    sound = b"\x08\0\0\x02" + middle[4:11] + b"\x22\0" + b"\0\0\0\x0d"
    filler = (
        b"\x12" + (1 << 20).to_bytes(3, "big") + middle[4:11] + bytes(1 << 20) + ((1 << 20) + 11).to_bytes(4, "big")
    )
    path.write_bytes(data[:13] + b"".join([*tags[:middle_at], *([filler] * 6), sound, *tags[middle_at:]]))
    assert probe(path).frame_count == 90
    assert len(access_points(path).pts) > 1


def test_a_file_that_was_probed_is_not_read_again_for_its_samples(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.mp4", np.arange(90) / 30)
    expected = access_points(path)
    probe(path)
    with monkeypatch.context() as patch:
        patch.setattr("workers.media.probe.open_media", None)
        kept = access_points(path)
    assert kept.pts.tolist() == expected.pts.tolist() and kept.time_s.tolist() == expected.time_s.tolist()
    probe(path)
    write_video(path, np.arange(30) / 30)
    assert len(access_points(path).pts) < len(expected.pts)


def test_probing_and_planning_read_the_same_packets_of_the_real_files(videos):
    compared = 0
    for path in sorted((videos / "odd").glob("*.*")):
        with suppress(Reject):
            probe(path)
            kept = access_points(path)
            compared += 1
            assert kept.pts.tolist() == access_points(path).pts.tolist(), path.name
    assert compared > 15
