"""The client against a loopback endpoint that fails in every way."""

import gzip
import json

import pytest

from benchmarks._endpoint_server import Fault, endpoint_server
from schemas.config import ConfigError
from schemas.rejects import BuildStopped, Reject
from tests.workers.endpoint.requests import GOOD, endpoint, request
from workers.endpoint.answers import BadAnswer


def test_an_answer_is_asked_for_by_its_schema_once_and_then_kept(tmp_path):
    with endpoint_server(lambda chat: GOOD) as server:
        assert endpoint(server, tmp_path).ask(request()) == "a red circle"
        assert endpoint(server, tmp_path).ask(request()) == "a red circle"
        assert server.calls == 1
        [sent] = server.requests
        assert sent["model"] == "m" and sent["temperature"] == 0 and sent["seed"] == 0
        assert sent["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
        assert endpoint(server, tmp_path, model="other").ask(request()) == "a red circle"
        assert server.calls == 2


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ((GOOD, Fault(refusal="No.")), "the model refuses"),
        ((GOOD, Fault(finish_reason="content_filter")), "the model refuses"),
        ((GOOD, Fault(finish_reason="length")), "max_answer_tokens"),
        ("I'm sorry, but I can't help with that.", "the model refuses or answers in prose"),
        (GOOD[:-4], "broken or cut"),
        ('{"words": "a red circle"}', "another schema: text"),
        ('{"text": 5}', "another schema: text"),
        ('{"text": "x", "more": 1}', "another schema: more"),
        (json.dumps({"text": "x" * 5000}), "another schema: text"),
        ("[" * 5000, "broken or cut|refuses or answers in prose"),
        ("", "empty"),
        (Fault(body=b"<html>"), "not a chat completion"),
        (Fault(body=b"x" * (17 << 20)), "more than 16 MiB"),
        (Fault(body=b'{"choices": []}'), "not a chat completion"),
    ],
)
def test_a_bad_answer_has_its_cause_and_is_asked_anew_later(tmp_path, fault, cause):
    with endpoint_server(lambda chat: fault) as server:
        with pytest.raises(BadAnswer, match=cause):
            endpoint(server, tmp_path, answers=2).ask(request())
        assert [sent["seed"] for sent in server.requests] == [0, 1]
        server.answer = lambda chat: GOOD
        assert endpoint(server, tmp_path).ask(request()) == "a red circle"


def test_a_model_that_takes_other_parameters_gets_them(tmp_path):
    with endpoint_server(lambda chat: GOOD) as server:
        newer = {"answer_limit": "max_completion_tokens", "temperature": None, "max_answer_tokens": 70}
        assert endpoint(server, tmp_path, **newer).ask(request()) == "a red circle"
        [sent] = server.requests
        assert sent["max_completion_tokens"] == 70 and not {"max_tokens", "temperature"} & sent.keys()


def test_a_compressed_answer_is_not_decompressed(tmp_path):
    """A small one could fill the memory."""
    bomb = gzip.compress(b" " * (64 << 20))
    with endpoint_server(lambda chat: Fault(body=bomb, headers={"Content-Encoding": "gzip"})) as server:
        with pytest.raises(BadAnswer, match="the answer is compressed"):
            endpoint(server, tmp_path).ask(request())
        server.answer = lambda chat: Fault(status=500, body=b"no gzip", headers={"Content-Encoding": "gzip"})
        with pytest.raises(Reject, match="HTTP 500"):
            endpoint(server, tmp_path).ask(request())


@pytest.mark.parametrize("thoughts", ["<think>{no}</think>\n", "\n<think>\n\n</think>\n\n```json\n{}\n```"])
def test_the_thoughts_of_a_model_are_left_out(tmp_path, thoughts):
    answer = thoughts.replace("{}", GOOD) if "{}" in thoughts else thoughts + GOOD
    with endpoint_server(lambda chat: answer) as server:
        assert endpoint(server, tmp_path).ask(request()) == "a red circle"


def test_a_bad_answer_that_is_kept_is_not_asked_for_again(tmp_path):
    with endpoint_server(lambda chat: "no") as server:
        for _ in range(2):
            with pytest.raises(BadAnswer):
                endpoint(server, tmp_path, answers=2).ask(request(keeps_bad=True))
        assert server.calls == 2


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault(status=500), "HTTP 500"),
        (Fault(status=429, headers={"Retry-After": "0.1"}), "HTTP 429"),
        (Fault(status=400), "HTTP 400: the server refuses the request; try another annotate.endpoint.response_format"),
        (Fault(status=403), "HTTP 403: the key is not valid"),
        ((GOOD, Fault(cut=True)), "no connection"),
        ((GOOD, Fault(delay_s=0.8)), "no answer in 0.3 s"),
        ((GOOD, Fault(headers={f"X-{n}": "y" * 1000 for n in range(200)})), "bytes of headers"),
    ],
)
def test_a_server_that_fails_is_a_reject_with_the_cause(tmp_path, fault, cause):
    timeout_s = 0.3 if cause == "no answer in 0.3 s" else 60  # a busy machine takes long for the other answers
    with endpoint_server(lambda chat: fault) as server:
        with pytest.raises(Reject, match=cause) as failed:
            endpoint(server, tmp_path, timeout_s=timeout_s).ask(request())
        assert failed.value.reason == "endpoint_failed"


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(status=429, headers={"Retry-After": "0.1"})])
def test_a_server_that_recovers_is_waited_for(tmp_path, fault):
    answers = [fault, GOOD]
    with endpoint_server(lambda chat: answers.pop(0)) as server:
        assert endpoint(server, tmp_path).ask(request()) == "a red circle"
        assert server.calls == 2


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(status=401), "HTTP 401: the key in LONGVID_TEST_KEY is not accepted"),
        (Fault(status=404), "unknown address or model; check base_url and annotate.endpoint.model = 'm'"),
        (Fault(status=302, headers={"Location": "http://169.254.169.254/"}), "redirects"),
    ],
)
def test_what_no_request_can_pass_stops_the_build(tmp_path, monkeypatch, fault, told):
    monkeypatch.setenv("LONGVID_TEST_KEY", "sk-0123456789")
    with endpoint_server(lambda chat: fault) as server:
        with pytest.raises(BuildStopped, match=told):
            endpoint(server, tmp_path, key_variable="LONGVID_TEST_KEY").ask(request())
        assert server.calls == 1


def test_a_private_address_is_refused_unless_allowed(tmp_path):
    with endpoint_server(lambda chat: GOOD) as server:
        with pytest.raises(BuildStopped, match="set annotate.endpoint.allow_private_addresses"):
            endpoint(server, tmp_path, allow_private_addresses=False).ask(request())
        assert server.calls == 0


def test_the_key_is_sent_to_the_server_and_is_in_no_file(tmp_path, monkeypatch):
    key = "sk-0123456789abcdef"
    monkeypatch.setenv("LONGVID_TEST_KEY", key)
    with endpoint_server(lambda chat: json.dumps({"text": f"your key is {key}"})) as server:
        told = endpoint(server, tmp_path, key_variable="LONGVID_TEST_KEY").ask(request())
        assert server.headers[0]["authorization"] == f"Bearer {key}"
    assert told == "your key is ***"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]


@pytest.mark.parametrize("key", ["\u201cabc\u201d", "a\nb"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(tmp_path, monkeypatch, key):
    monkeypatch.setenv("LONGVID_TEST_KEY", key)
    with endpoint_server(lambda chat: GOOD) as server, pytest.raises(ConfigError, match="LONGVID_TEST_KEY") as refused:
        endpoint(server, tmp_path, key_variable="LONGVID_TEST_KEY")
    assert key not in str(refused.value)


@pytest.mark.parametrize("keeps_bad", [True, False])
def test_of_equal_requests_one_is_made(tmp_path, keeps_bad):
    with endpoint_server(lambda chat: GOOD) as server:
        assert endpoint(server, tmp_path).ask_all([request(keeps_bad=keeps_bad)] * 6) == ["a red circle"] * 6
        assert server.calls == 1
        server.answer = lambda chat: "no"
        told = endpoint(server, tmp_path, answers=2).ask_all([request(1, keeps_bad=keeps_bad)] * 6)
        assert all(isinstance(bad, BadAnswer) for bad in told) and server.calls == 3


def test_a_key_that_the_environment_has_not_is_named(tmp_path):
    with endpoint_server(lambda chat: GOOD) as server, pytest.raises(ConfigError, match="LONGVID_NO_KEY"):
        endpoint(server, tmp_path, key_variable="LONGVID_NO_KEY")


def test_many_requests_at_once_and_one_that_fails(tmp_path):
    with endpoint_server(lambda chat: json.dumps({"text": chat["messages"][0]["content"]})) as server:
        told = endpoint(server, tmp_path).ask_all([request(n) for n in range(20)])
        assert told == [f"Describe {n}." for n in range(20)]
        server.answer = lambda chat: Fault(status=400)
        with pytest.raises(Reject, match="HTTP 400"):
            endpoint(server, tmp_path, concurrency=1).ask_all([request(n) for n in range(19, 30)])
        assert server.calls == 21
