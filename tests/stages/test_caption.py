"""Captions of a segment, by a loopback endpoint that checks what it is sent."""

import base64
import json

import pyarrow as pa
import pytest

from benchmarks._endpoint_server import Fault, endpoint_server
from schemas.config import parse
from schemas.rejects import Reject
from schemas.tables.media import FRAME
from stages.caption import CaptionConfig, stage
from workers.endpoint.config import EndpointConfig
from workers.storage.store import Store

TIMES = [60.3 + i * 1.1 for i in range(50)]
UNIT = {"video_id": "v", "segment_id": "v-00001", "start_s": 60.0, "end_s": 116.0, "decode_unit": "units/d.parquet"}
UNIT["cuts_s"] = [80.0]


def run(server, folder, **values):
    store = Store(folder)
    frames = [dict.fromkeys(FRAME.names) | {"time_s": t, "jpeg": f"jpeg {i}".encode()} for i, t in enumerate(TIMES)]
    store.write_tables(UNIT["decode_unit"], [pa.Table.from_pylist(frames, FRAME)], FRAME)
    endpoint = {"base_url": server.base_url, "model": "m", "allow_private_addresses": True, "attempts": 1, "answers": 1}
    config = parse(CaptionConfig, {"max_frames": 6, **values}).model_copy(
        update={"endpoint": parse(EndpointConfig, endpoint)}
    )
    declared = stage(config)
    path = declared.unit_path(UNIT)
    store.write_tables(path, declared.run({**UNIT, "unit_path": path}, config=config, store=store), declared.writes)
    return store.read_table(path).to_pylist()


def told(*events) -> str:
    named = ({"start_s": s, "end_s": e, "kind": "event", "text": text} for s, e, text in events)
    return json.dumps({"events": list(named)})


def test_a_model_is_sent_frames_with_their_true_times_and_gives_events(tmp_path):
    with endpoint_server(lambda chat: told((90, 95.5, "A dog\x07 digs"), (59, 70, "A man sings"))) as server:
        rows = run(server, tmp_path)
        assert run(server, tmp_path) == rows and server.calls == 1
    assert [(r["start_s"], r["end_s"], r["text"]) for r in rows] == [
        (60.0, 70.0, "A man sings"),
        (90.0, 95.5, "A dog digs"),
    ]
    assert {r["segment_id"] for r in rows} == {"v-00001"}
    system, user = server.requests[0]["messages"]
    assert "JSON" in system["content"] and system["role"] == "system"
    assert json.loads(user["content"][0]["text"]) == {"start_s": 60.0, "end_s": 116.0}
    texts, images = user["content"][1::2], user["content"][2::2]
    assert len(texts) == len(images) == 6
    for text, image in zip(texts, images, strict=True):
        head, data = image["image_url"]["url"].split(",")
        position = int(base64.b64decode(data).split()[1])
        assert head == "data:image/jpeg;base64" and text["text"] == f"{TIMES[position]:.2f} s:"


@pytest.mark.parametrize(
    ("fault", "reason", "cause"),
    [
        ("I can't help with that.", "bad_answer", "refuses"),
        (told((90, 95, "A dog digs"))[:-5], "bad_answer", "broken or cut"),
        (told((90, 80, "A dog digs")), "bad_answer", "ends before"),
        (told((20, 30, "A dog digs")), "bad_answer", "outside of the segment"),
        (told((58, 59, "A dog digs")), "bad_answer", "outside of the segment"),
        (told((116.5, 117.5, "A dog digs")), "bad_answer", "outside of the segment"),
        (told(*[(90, 95, "A dog digs")] * 61), "bad_answer", "caption.max_events"),
        ('{"events": [{"start_s": NaN, "end_s": 95, "kind": "event", "text": "x"}]}', "bad_answer", "events.0.start_s"),
        (Fault(status=500), "endpoint_failed", "HTTP 500"),
    ],
)
def test_what_is_no_caption_rejects_the_segment(tmp_path, fault, reason, cause):
    with endpoint_server(lambda chat: fault) as server, pytest.raises(Reject, match=cause) as rejected:
        run(server, tmp_path)
    assert rejected.value.reason == reason


def test_what_a_unit_depends_on():
    base = CaptionConfig()

    def path(endpoint=None, **values):
        config = base.model_copy(update={**values, "endpoint": EndpointConfig(**(endpoint or {}))})
        return stage(config).unit_path(UNIT)

    assert path({"base_url": "https://a.example.com", "max_tokens": 5}) == path()
    assert path({"model": "n"}) != path() and path(max_frames=3) != path()
