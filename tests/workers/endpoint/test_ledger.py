"""What requests cost is counted for all processes, and caps hold."""

import pytest

from benchmarks._endpoint_server import Fault, endpoint_server
from schemas.rejects import BuildStopped, Reject
from tests.workers.endpoint.requests import GOOD, Told, endpoint, request
from workers.endpoint.answers import BadAnswer
from workers.endpoint.client import Request
from workers.endpoint.ledger import spent
from workers.storage.store import Store


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


@pytest.mark.parametrize("usage", [{"total_tokens": 5}, {"prompt_tokens": None}, {"prompt_tokens": -1}, "none", [1]])
def test_an_answer_whose_cost_cannot_be_read_is_used_and_counts_as_its_most(tmp_path, usage):
    with endpoint_server(lambda chat: GOOD) as server:
        server.usage = usage
        assert endpoint(server, tmp_path, max_answer_tokens=700).ask(request()) == "a red circle"
    total = spent(Store(tmp_path))["test"]
    assert total["calls"] == 1 and total["tokens_out"] == 700 and total["tokens_in"] > 20


def test_a_compressed_answer_counts_as_its_most(tmp_path):
    fault = Fault(headers={"Content-Encoding": "br"})
    with endpoint_server(lambda chat: (GOOD, fault)) as server, pytest.raises(BadAnswer):
        endpoint(server, tmp_path, max_answer_tokens=700).ask(request())
    assert spent(Store(tmp_path))["test"]["tokens_out"] == 700


def test_a_request_in_another_script_is_not_sent_beyond_the_cap(tmp_path):
    """A character of most scripts is a token or more."""
    asked = Request([{"role": "user", "content": "\u6f22" * 3000}], Told)
    with endpoint_server(lambda chat: GOOD) as server:
        with pytest.raises(Reject) as failed:
            endpoint(server, tmp_path, max_answer_tokens=100, max_tokens=3000).ask(asked)
        assert failed.value.reason == "endpoint_cap" and server.calls == 0
