"""TLS and proxies, with real ones on loopback."""

import datetime
import ipaddress
import select
import socket
import socketserver
import ssl
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from schemas.rejects import Reject
from tests.faulty_server import BODY, faulty_server
from tests.workers.fetch.test_fetcher import LIMITS, changed
from workers.fetch.access import Access
from workers.fetch.fetcher import fetch


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a self-signed certificate for 127.0.0.1 and video.invalid, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "longvid test")])
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("video.invalid")]
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def tls_server(certificate):
    with faulty_server() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.url = server.url.replace("http:", "https:")
        yield server


def test_an_unknown_certificate_is_named_and_not_tried_again(tls_server, tmp_path):
    with pytest.raises(Reject, match="unreachable.*TLS: self-signed certificate"):
        fetch(f"{tls_server.url}/good", tmp_path / "f", LIMITS)


def test_the_certificates_of_the_setting_are_trusted(tls_server, certificate, tmp_path):
    limits = changed(access=replace(LIMITS.access, ca_bundle=str(certificate)))
    assert fetch(f"{tls_server.url}/good", tmp_path / "f", limits).read_bytes() == BODY


def test_the_environment_chooses_no_certificates_and_no_proxy(tls_server, certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(Reject, match="TLS: self-signed certificate"):
        fetch(f"{tls_server.url}/good", tmp_path / "f", LIMITS)


@contextmanager
def proxy(server):
    """A proxy that leads to `server` whatever host it is asked for; `asked` holds the first lines of its requests."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            head = b""
            while b"\r\n\r\n" not in head:
                head += self.request.recv(4096)
            line, _, rest = head.partition(b"\r\n")
            relay.asked.append((line.decode(), rest.decode()))
            with socket.create_connection(server.server_address) as target:
                if line.startswith(b"CONNECT"):
                    self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    path = "/" + line.decode().split()[1].split("/", 3)[3]
                    target.sendall(f"GET {path} HTTP/1.1\r\n".encode() + rest)
                self.pump(target)

        def pump(self, target):
            while ready := select.select([self.request, target], [], [], 10)[0]:
                for one in ready:
                    data = one.recv(1 << 16)
                    if not data:
                        return
                    (target if one is self.request else self.request).sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as relay:
        relay.daemon_threads, relay.asked = True, []
        relay.url = f"http://me:secret@127.0.0.1:{relay.server_address[1]}"
        threading.Thread(target=relay.serve_forever, args=(0.05,), daemon=True).start()
        yield relay
        relay.shutdown()


def behind(relay, **access):
    return changed(attempts=1, access=Access(proxy=relay.url, **access))


def test_http_goes_through_the_proxy_which_looks_the_host_up(tmp_path):
    with faulty_server() as server, proxy(server) as relay:
        path = fetch("http://video.invalid/good?v=1", tmp_path / "f", behind(relay))
    assert path.read_bytes() == BODY
    ((line, rest),) = relay.asked
    assert line == "GET http://video.invalid/good?v=1 HTTP/1.1"
    assert "proxy-authorization: basic " in rest.lower()


def test_https_goes_through_a_tunnel(tls_server, certificate, tmp_path):
    with proxy(tls_server) as relay:
        limits = behind(relay, ca_bundle=str(certificate))
        assert fetch("https://video.invalid/good", tmp_path / "f", limits).read_bytes() == BODY
    assert relay.asked[0][0] == "CONNECT video.invalid:443 HTTP/1.1"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::ffff:10.0.0.1]"])
def test_a_host_known_to_be_private_is_refused_before_the_proxy_is_asked(tmp_path, host):
    with faulty_server() as server, proxy(server) as relay, pytest.raises(Reject, match="refused"):
        fetch(f"http://{host}/good", tmp_path / "f", behind(relay))
    assert not relay.asked


def test_a_proxy_that_is_not_there_is_named_without_its_password(tmp_path):
    limits = changed(attempts=1, access=Access(proxy="http://me:secret@127.0.0.1:9"))
    with pytest.raises(Reject, match="unreachable.*connection refused") as rejected:
        fetch("http://video.invalid/v", tmp_path / "f", limits)
    assert "secret" not in str(rejected.value)
    assert "secret" not in repr(limits)
