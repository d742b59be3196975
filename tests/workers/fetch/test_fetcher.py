import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from schemas.rejects import Reject
from tests.faulty_server import BODY, faulty_server
from workers.fetch import network
from workers.fetch.access import Access
from workers.fetch.fetcher import fetch
from workers.fetch.host_limiter import HostLimiter
from workers.fetch.limits import FetchLimits
from workers.fetch.partial_file import PartialFile

pytestmark = pytest.mark.slow

LIMITS = FetchLimits(
    max_bytes=4 * len(BODY),
    max_seconds=20,
    attempts=8,
    backoff_s=0.01,
    timeout_s=1,
    access=Access(allow_private_addresses=True),
)


def changed(**values) -> FetchLimits:
    return LIMITS.model_copy(update=values)


@pytest.fixture
def server():
    with faulty_server() as server:
        yield server


def rejected(uri, folder, limits=LIMITS):
    with pytest.raises(Reject) as error:
        fetch(uri, folder, limits)
    assert "secret" not in str(error.value)
    return error.value.reason


@pytest.mark.parametrize(
    "path", ["good", "busy", "to_good", "reset", "reset_without_validator", "wrong_range", "whole_range", "five_hints"]
)
def test_arrives_whole(server, tmp_path, path):
    assert fetch(f"{server.url}/{path}", tmp_path / "f", LIMITS).read_bytes() == BODY


def test_a_reset_costs_only_the_rest(server, tmp_path):
    fetch(f"{server.url}/reset", tmp_path / "f", LIMITS)
    assert server.sent == len(BODY)
    assert server.seen["/reset"] == 5


@pytest.mark.parametrize("path", ["changes", "changes_etag", "changes_date", "changes_length"])
def test_a_file_that_changed_is_fetched_anew(server, tmp_path, path):
    assert fetch(f"{server.url}/{path}", tmp_path / "f", LIMITS).read_bytes() == BODY[::-1]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("busy_for_ever", "unreachable"),
        ("wait_a_day", "unreachable"),
        ("silent", "unreachable"),
        ("loop", "unreachable"),
        ("to_nowhere", "unreachable"),
        ("unasked_range", "unreachable"),
        ("first_range", "unreachable"),
        ("six_hints", "unreachable"),
        ("hints", "unreachable"),
        ("long_headers", "unreachable"),
        ("missing", "not_found"),
        ("forbidden", "refused"),
        ("expired", "refused"),
        ("to_file", "refused"),
        ("to_nonsense", "refused"),
        ("bomb", "refused"),
        ("too_short", "incomplete"),
        ("huge", "too_large"),
        ("endless", "too_large"),
        ("page", "not_a_video"),
        ("playlist", "not_a_video"),
    ],
)
def test_reasons(server, tmp_path, path, reason):
    assert rejected(f"{server.url}/{path}?secret=1", tmp_path / "f", changed(attempts=2)) == reason


def test_a_type_that_is_no_media_can_be_allowed(server, tmp_path):
    limits = changed(any_content_type=True)
    assert fetch(f"{server.url}/page", tmp_path / "f", limits).stat().st_size > 0


@pytest.mark.parametrize("path", ["drip", "header_drip", "chunk_drip", "stalls", "slow_loop", "to_header_drip"])
def test_what_takes_too_long_is_given_up(server, tmp_path, path):
    limits = changed(max_seconds=0.5, attempts=1)
    assert rejected(f"{server.url}/{path}", tmp_path / "f", limits) == "incomplete"


def test_headers_have_a_deadline_of_their_own(server, tmp_path):
    limits = changed(max_header_s=0.3, attempts=1)
    with pytest.raises(Reject, match="unreachable.*no response within 0.3 s"):
        fetch(f"{server.url}/header_drip", tmp_path / "f", limits)


@pytest.mark.parametrize(
    ("path", "detail", "asked"),
    [
        ("expired", "HTTP 403 ExpiredToken", 1),
        ("forbidden", "HTTP 403", 1),
        ("slow_down", "HTTP 503 SlowDown", 2),
        ("six_hints", "more than 5 informational responses", 1),
        ("silent", "no data within download.timeout_s", 2),
    ],
)
def test_the_detail_tells_why(server, tmp_path, path, detail, asked):
    limits = changed(attempts=2, timeout_s=0.5 if path == "silent" else 2)
    with pytest.raises(Reject, match=detail):
        fetch(f"{server.url}/{path}", tmp_path / "f", limits)
    assert server.seen[f"/{path}"] == asked


@pytest.mark.parametrize(
    ("address", "detail"),
    [("http://127.0.0.1:9/v", "connection refused"), ("http://none.invalid/v", "DNS: ")],
)
def test_the_network_s_cause_is_told(tmp_path, address, detail):
    with pytest.raises(Reject, match=f"unreachable.*{detail}"):
        fetch(address, tmp_path / "f", changed(attempts=2))


def test_a_host_that_asks_for_a_long_pause_is_left_alone(server, tmp_path):
    assert rejected(f"{server.url}/wait_a_day", tmp_path / "f") == "unreachable"
    assert rejected(f"{server.url}/good", tmp_path / "g") == "unreachable"
    assert server.seen == {"/wait_a_day": 1}


def test_a_pause_is_waited_for_where_the_setting_allows(server, tmp_path):
    limits = changed(max_retry_after_s=2, max_seconds=0.9, timeout_s=0.5)
    assert fetch(f"{server.url}/wait_a_second", tmp_path / "f", limits).read_bytes() == BODY
    assert server.seen["/wait_a_second"] == 2


def test_waiting_for_a_turn_is_no_fault_of_the_source(tmp_path):
    partial = PartialFile(tmp_path, changed(max_seconds=0.01))
    partial.start(0)
    time.sleep(0.02)
    with pytest.raises(Reject, match="incomplete"):
        partial.start(0)
    partial.start(60)


def test_a_redirect_waits_for_the_host_it_leads_to(server, tmp_path):
    limits = changed(per_host=1)
    names = ["127.0.0.1", "127.1", "localhost"]
    with ThreadPoolExecutor(len(names)) as pool:
        port = server.server_port
        fetched = [pool.submit(fetch, f"http://{n}:{port}/to_alone", tmp_path / n, limits) for n in names]
        assert all(one.result().read_bytes() == BODY for one in fetched)


def test_a_pause_is_kept_for_the_host_that_asked_for_it(server, tmp_path, hosts):
    assert rejected(f"{server.url}/to_pause", tmp_path / "f", changed(attempts=1)) == "unreachable"
    (tmp_path / "expected").mkdir()
    HostLimiter(1, 60, tmp_path / "expected").pause("localhost", 60)
    assert [p.name for p in hosts.glob("*.pause")] == [p.name for p in (tmp_path / "expected").glob("*.pause")]


def test_a_reject_keeps_only_what_can_be_gone_on_with(server, tmp_path):
    limits = changed(attempts=1)
    assert rejected(f"{server.url}/reset", tmp_path / "bound", limits) == "incomplete"
    assert rejected(f"{server.url}/too_short", tmp_path / "unbound", limits) == "incomplete"
    assert [path.name for path in tmp_path.iterdir()] == ["bound"]
    assert fetch(f"{server.url}/reset", tmp_path / "bound", LIMITS).read_bytes() == BODY
    assert "Range" in server.requests[2][1]


def test_no_server(tmp_path):
    limits = changed(attempts=2)
    assert rejected("http://user:secret@127.0.0.1:9/v.mp4?secret", tmp_path / "f", limits) == "unreachable"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "0x7f.1"],
)
def test_private_addresses_are_refused(tmp_path, host):
    limits = changed(access=Access(), attempts=1)
    assert rejected(f"http://{host}/v.mp4", tmp_path / "f", limits) == "refused"


def test_redirects_to_private_addresses_are_refused(server, tmp_path, monkeypatch):
    real = network.resolve
    # The test's own server counts as public.
    monkeypatch.setattr(
        network, "resolve", lambda host, port, allow: host if host == "127.0.0.1" else real(host, port, allow)
    )
    limits = changed(access=Access(), attempts=1)
    assert rejected(f"{server.url}/to_private", tmp_path / "f", limits) == "refused"
    assert server.seen["/good"] == 0


@pytest.mark.parametrize(
    "uri", ["ftp://h/v.mp4", "file:///etc/passwd", "data:video/mp4,x", "concat:a|b", "s3://b/k?x=1"]
)
def test_other_schemes_are_refused(tmp_path, uri):
    assert rejected(uri, tmp_path / "f", changed(access=Access())) == "refused"


def test_no_redirect_to_nonsense_is_followed(server, tmp_path):
    for number in range(4):
        assert rejected(f"{server.url}/to_nonsense", tmp_path / str(number)) == "refused"


def test_a_host_is_named_as_it_is_addressed(server, tmp_path):
    fetch(f"http://user:secret@localhost:{server.server_port}/good", tmp_path / "f", LIMITS)
    assert server.requests[0][1]["Host"] == f"localhost:{server.server_port}"


def test_a_host_of_ipv6_is_named_in_brackets(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.faulty_server.ThreadingHTTPServer.address_family", socket.AF_INET6)
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    with faulty_server("::1") as server:
        fetch(f"http://[::1]:{server.server_port}/good", tmp_path / "f", LIMITS)
    assert server.requests[0][1]["Host"] == f"[::1]:{server.server_port}"


def test_a_killed_fetch_is_gone_on_with(server, tmp_path):
    program = """
        import sys, time
        from pathlib import Path
        from workers.fetch.fetcher import fetch
        from workers.fetch import partial_file
        from tests.workers.fetch.test_fetcher import BODY, LIMITS
        write, data = partial_file._Writer.write, Path(sys.argv[2], "data")
        def write_an_eighth(self, block):
            if data.stat().st_size >= len(BODY) // 8:
                time.sleep(600)
            write(self, block)
        partial_file._Writer.write = write_an_eighth
        fetch(sys.argv[1], Path(sys.argv[2]), LIMITS)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), f"{server.url}/good", str(tmp_path / "f")]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
    data = tmp_path / "f" / "data"
    while not data.exists() or data.stat().st_size < len(BODY) // 8:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    have = data.stat().st_size
    assert 0 < have < len(BODY)
    assert fetch(f"{server.url}/good", tmp_path / "f", LIMITS).read_bytes() == BODY
    assert server.requests[-1][1]["Range"] == f"bytes={have}-"


def test_what_is_whole_is_not_asked_for_again(server, tmp_path):
    for _ in range(2):
        fetch(f"{server.url}/good", tmp_path / "f", LIMITS)
    assert server.seen["/good"] == 1


def test_credentials_go_to_their_server_only(server, tmp_path):
    fetch(f"http://me:secret@{server.url.removeprefix('http://')}/to_other", tmp_path / "f", LIMITS)
    first, second = (headers for _, headers in server.requests)
    assert first["Authorization"].startswith("Basic ")
    assert "Authorization" not in second
