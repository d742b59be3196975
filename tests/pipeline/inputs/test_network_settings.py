import certifi
import pytest

from pipeline.inputs.network_settings import check_network_settings, unused_environment
from schemas.config import ConfigError
from stages.download import DownloadConfig

NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
NAMES += ("CURL_CA_BUNDLE",)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_what_of_the_environment_is_not_used_is_said_without_its_value(environment):
    assert unused_environment(DownloadConfig()) == []
    environment.setenv("https_proxy", "http://me:secret@proxy:1")
    environment.setenv("SSL_CERT_FILE", "/secret")
    proxy, certificates = unused_environment(DownloadConfig())
    assert proxy == "not used for http, https and s3: HTTPS_PROXY of the environment; set download.proxy instead"
    assert (
        certificates == "not used for http and https: SSL_CERT_FILE of the environment; set download.ca_bundle instead"
    )
    assert unused_environment(DownloadConfig(proxy="http://proxy:1", ca_bundle="/a")) == []


def test_settings_that_cannot_be_used_are_named_before_work_starts(tmp_path):
    check_network_settings(DownloadConfig(ca_bundle=certifi.where(), root=str(tmp_path)))
    (tmp_path / "bad.pem").write_text("no certificate")
    for settings, message in (
        ({"ca_bundle": str(tmp_path / "none")}, "download.ca_bundle = '.*none': no such file"),
        ({"ca_bundle": str(tmp_path / "bad.pem")}, "download.ca_bundle = '.*bad.pem': no certificates"),
        ({"root": str(tmp_path / "none")}, "download.root = '.*none': no such folder"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_network_settings(DownloadConfig(**settings))
