"""Transcripts of a segment, by a loopback endpoint that checks what it is sent."""

import io
import wave

import numpy as np
import pytest

from benchmarks._endpoint_server import Fault, endpoint_server
from schemas.config import parse
from schemas.rejects import Reject
from stages.transcribe import TranscribeConfig, stage
from tests.workers.media.test_audio import clock_of, onsets, write_clicks
from workers.endpoint.config import EndpointConfig
from workers.endpoint.ledger import spent
from workers.storage.store import Store


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    return write_clicks(tmp_path_factory.mktemp("media") / "a.mp4", [6.0, 12.0, 17.0], 40)


def run(server, folder, media, **values):
    store, clock = Store(folder), clock_of(media, 5)
    unit = {"start_s": clock["seek_s"], "end_s": 35.0, "seek_pts": clock["seek_pts"]}
    unit |= {"video_id": "v", "segment_id": "v-00001", "sha256": "0", "media": None}
    unit |= {"location": str(media), "duration_s": 40.0}
    endpoint = {"base_url": server.base_url, "speech_model": "w", "allow_private_addresses": True, "attempts": 1}
    config = parse(TranscribeConfig, {"part_s": 15.0, **values}).model_copy(
        update={"endpoint": parse(EndpointConfig, {**endpoint, "price_minute": 0.5})}
    )
    declared = stage(config)
    tables = declared.run(unit, config=config, store=store)
    store.write_tables("units/t.parquet", tables, declared.writes)
    return [(r["start_s"], r["end_s"], r["text"]) for r in store.read_table("units/t.parquet").to_pylist()]


def heard(*words):
    return {"text": "x", "words": [{"word": text, "start": s, "end": e} for s, e, text in words]}


def by_onsets(form):
    """Writes a word where a tone is."""
    with wave.open(io.BytesIO(form["file"])) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return heard(*((at, at + 0.2, f"tone{n}.") for n, at in enumerate(onsets(sound[: len(sound) // 320 * 320]))))


def test_words_have_the_times_of_the_video_and_each_is_told_once(tmp_path, media):
    with endpoint_server(by_onsets) as server:
        rows = run(server, tmp_path, media)
        assert [start for start, _, _ in rows] == pytest.approx([6.0, 12.0, 17.0], abs=0.1)
        assert run(server, tmp_path, media) == rows and server.calls == 1  # the second part is silent
        [form] = server.requests
    assert form["model"] == "w" and form["response_format"] == "verbose_json"
    assert form["timestamp_granularities[]"] == ["word", "segment"]
    assert spent(Store(tmp_path))["transcribe"]["minutes"] == pytest.approx(17 / 60)


def test_words_become_sentences(tmp_path, media):
    words = [(1.5, 1.9, " Hello"), (2, 2.4, "there."), (2.5, 2.9, "And"), (3, 3.4, "now\x00"), (8, 9, "again")]
    with endpoint_server(lambda form: heard(*words, (16.5, 17, "beyond"))) as server:
        assert run(server, tmp_path, media) == [
            (5.5, 6.4, "Hello there."),
            (6.5, 7.4, "And now"),
            (12.0, 13.0, "again"),
        ]


def test_sentences_of_a_server_without_words(tmp_path, media):
    told = {"text": "x", "segments": [{"id": 0, "start": 2.0, "end": 4.0, "text": " Hello there. "}]}
    with endpoint_server(lambda form: told) as server:
        assert run(server, tmp_path, media) == [(6.0, 8.0, "Hello there.")]


@pytest.mark.parametrize(
    ("fault", "reason", "cause"),
    [
        ({"text": "Hello there."}, "bad_answer", "no times"),
        (heard((3, 2, "x")), "bad_answer", "ends before"),
        (heard((300, 301, "x")), "bad_answer", "after the audio"),
        (Fault(body=b'{"text": "x", "words": [{'), "bad_answer", "a transcript"),
        (Fault(body=b'{"text": "x", "words": [{"word": "x", "start": NaN, "end": 1}]}'), "bad_answer", "a transcript"),
        (Fault(status=500), "endpoint_failed", "HTTP 500"),
        (Fault(status=429, headers={"Retry-After": "0.1"}), "endpoint_failed", "HTTP 429"),
    ],
)
def test_what_is_no_transcript_rejects_the_segment_and_is_asked_anew(tmp_path, media, fault, reason, cause):
    with endpoint_server(lambda form: fault) as server:
        with pytest.raises(Reject, match=cause) as rejected:
            run(server, tmp_path, media)
        assert rejected.value.reason == reason
        server.answer = by_onsets
        assert len(run(server, tmp_path, media)) == 3
