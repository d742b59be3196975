"""The client against a loopback endpoint that fails in every way."""

import json
from pathlib import Path

import pytest

from benchmarks._endpoint_server import EndpointServer, Fault, endpoint_server
from schemas.config import ConfigError, parse
from schemas.rejects import BuildStopped, Reject
from workers.endpoint.answers import Answer, BadAnswer, Sentence
from workers.endpoint.client import Endpoint, Request
from workers.endpoint.config import EndpointConfig
from workers.endpoint.ledger import spent
from workers.storage.store import Store

GOOD = '{"text": "a red circle"}'


class Told(Answer):
    text: Sentence


def request(number: int = 0, **options) -> Request[Told]:
    return Request([{"role": "user", "content": f"Describe {number}."}], Told, lambda told: told.text, **options)


def config(server: EndpointServer, **values) -> EndpointConfig:
    base = {"base_url": server.base_url, "model": "m", "allow_private_addresses": True, "attempts": 2, "answers": 1}
    return parse(EndpointConfig, {**base, **values})


def endpoint(server: EndpointServer, folder: Path, **values) -> Endpoint:
    return Endpoint(config(server, **values), Store(folder), "test")


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


def test_a_damaged_count_of_costs_stops_the_build(tmp_path):
    Store(tmp_path).write_bytes("endpoint/spent/test/a.json", b'{"calls"')
    with endpoint_server(lambda chat: GOOD) as server, pytest.raises(BuildStopped, match=r"a\.json is not JSON"):
        endpoint(server, tmp_path, max_tokens=9000).ask(request())


def test_no_other_process_sees_a_request_that_counts_for_nothing(tmp_path, monkeypatch):
    seen, write_json = [], Store.write_json

    def watched(store, path, value):
        write_json(store, path, value)
        if path.startswith("endpoint/spent/"):
            seen.append(spent(Store(tmp_path))["test"])

    monkeypatch.setattr(Store, "write_json", watched)
    with endpoint_server(lambda chat: GOOD) as server:
        server.usage = {"prompt_tokens": 100, "completion_tokens": 900}
        endpoint(server, tmp_path).ask(request())
    assert len(seen) == 2
    assert all(total["tokens_in"] + total["tokens_out"] > 0 for total in seen)
    assert seen[-1]["calls"] == 1


@pytest.mark.parametrize(
    ("fault", "timeout_s"), [(Fault(delay_s=2.5), 2.0), (Fault(cut=True), 60)], ids=["time-out", "cut"]
)
def test_attempts_without_an_answer_count_as_their_most(tmp_path, fault, timeout_s):
    answers = [(GOOD, fault), (GOOD, Fault())]
    with endpoint_server(lambda chat: answers.pop(0)) as server:
        server.usage = {"prompt_tokens": 10, "completion_tokens": 5}
        assert endpoint(server, tmp_path, timeout_s=timeout_s, max_answer_tokens=700).ask(request()) == "a red circle"
    total = spent(Store(tmp_path))["test"]
    assert total["calls"] == 2 and total["tokens_out"] == 705 and total["tokens_in"] > 20


def test_attempts_without_an_answer_end_at_the_cap(tmp_path):
    with endpoint_server(lambda chat: (GOOD, Fault(cut=True))) as server:
        with pytest.raises(Reject) as failed:
            endpoint(server, tmp_path, attempts=9, max_answer_tokens=1000, max_tokens=2700).ask(request())
        assert failed.value.reason == "endpoint_cap" and server.calls == 2
    total = spent(Store(tmp_path))["test"]
    assert 2000 < total["tokens_in"] + total["tokens_out"] <= 2700


def test_an_error_of_the_server_and_a_server_that_is_not_there_cost_nothing(tmp_path):
    with endpoint_server(lambda chat: Fault(status=500)) as server, pytest.raises(Reject):
        endpoint(server, tmp_path).ask(request())
    with pytest.raises(Reject, match="no connection"):
        endpoint(server, tmp_path).ask(request())
    assert not sum(spent(Store(tmp_path))["test"].values())


def test_the_units_of_one_process_count_in_one_file(tmp_path):
    with endpoint_server(lambda chat: GOOD) as server:
        for number in range(8):
            endpoint(server, tmp_path, max_tokens=1_000_000).ask(request(number))
    assert len([*Store(tmp_path).files("endpoint/spent")]) == 1
    assert spent(Store(tmp_path))["test"]["calls"] == 8


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


@pytest.mark.parametrize(
    "url", ["https://user:secret@host/v1", "https://host/v1?key=secret", "ftp://host", "host", "x y"]
)
def test_addresses_that_are_refused(url):
    with pytest.raises(ConfigError, match="base_url"):
        parse(EndpointConfig, {"base_url": url})


def test_many_requests_at_once_and_one_that_fails(tmp_path):
    with endpoint_server(lambda chat: json.dumps({"text": chat["messages"][0]["content"]})) as server:
        told = endpoint(server, tmp_path).ask_all([request(n) for n in range(20)])
        assert told == [f"Describe {n}." for n in range(20)]
        server.answer = lambda chat: Fault(status=400)
        with pytest.raises(Reject, match="HTTP 400"):
            endpoint(server, tmp_path, concurrency=1).ask_all([request(n) for n in range(19, 30)])
        assert server.calls == 21


@pytest.mark.parametrize(
    "cap", [{"max_tokens": 3000}, {"max_cost": 0.003, "price_in": 1.0, "price_out": 1.0}], ids=["tokens", "cost"]
)
def test_a_cap_stops_asking_for_all_processes_and_is_not_passed(tmp_path, cap):
    values = {**cap, "max_answer_tokens": 1000, "concurrency": 1}
    with endpoint_server(lambda chat: GOOD) as server:
        server.usage = {"prompt_tokens": 100, "completion_tokens": 900}
        endpoint(server, tmp_path, **values).ask(request(0))
        with pytest.raises(Reject, match=f"annotate.endpoint.{next(iter(cap))} = .* is used up") as failed:
            endpoint(server, tmp_path, **values).ask_all([request(n) for n in range(1, 9)])
        assert failed.value.reason == "endpoint_cap"
        assert server.calls == 2
        total = spent(Store(tmp_path))["test"]
        assert total["calls"] == 2 and total["tokens_in"] + total["tokens_out"] == 2000
        with pytest.raises(Reject):
            endpoint(server, tmp_path, **values).ask(request(9))
        assert server.calls == 2
        assert endpoint(server, tmp_path, **{**values, "max_tokens": 9000, "max_cost": 1.0, "price_in": 1.0}).ask(
            request(9)
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\x1b[31m red\ncir\x00cle\x07", "a red circle"),
        ("a \u202egniht\u202c", "a gniht"),
        ("a\U000e0041\U000e0042 b", "a b"),
        ("\ud83d\ude00 smile", "\U0001f600 smile"),
    ],
)
def test_control_and_hidden_characters_are_removed(tmp_path, text, told):
    with endpoint_server(lambda chat: json.dumps({"text": text})) as server:
        assert endpoint(server, tmp_path).ask(request()) == told
