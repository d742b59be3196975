import io

from workers import media_child
from workers.media_child import LENGTHS, _Pulse, unpack


def test_a_pulse_is_a_message_now_and_then(monkeypatch):
    clock = iter([0.0, 0.5, 1.5, 1.5, 2.0, 3.0, 3.0])
    monkeypatch.setattr(media_child.time, "monotonic", lambda: next(clock))
    out = io.BytesIO()
    pulse = _Pulse(out)
    lengths = []
    for _ in range(4):
        pulse()
        lengths.append(len(out.getvalue()))
    assert lengths[0] == 0 < lengths[1] == lengths[2] < lengths[3]
    header, payload = LENGTHS.unpack(out.getvalue()[: LENGTHS.size])
    assert (unpack(out.getvalue()[LENGTHS.size :][:header]), payload) == ({"alive": True}, 0)
