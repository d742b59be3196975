"""Fetches a file from http(s), s3 or gs: resumes where it stopped, whole or not at all, and only from where it may.

A fetch lies in a folder of its own: `data` grows, `state.json` says what it is a part of. Killed at any moment, the
next fetch asks the server for the rest, under the condition that the file is still the same one.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import tenacity

from schemas.rejects import Reject
from workers.addresses import redacted
from workers.host_gate import HostGate
from workers.http_source import receive_http
from workers.object_source import receive_object
from workers.partial_file import Again, FetchLimits, PartialFile

_SOURCES = {"http": receive_http, "https": receive_http, "s3": receive_object, "gs": receive_object}


def fetch(uri: str, folder: Path, limits: FetchLimits) -> Path:
    """Fetches `uri` whole, after what an earlier call left in `folder`; gives the file.

    Raises:
        Reject: `unreachable`, `not_found`, `refused`, `too_large`, `incomplete`, `not_a_video` (a type of content
            that is no media). No message holds credentials or a query string.
    """
    scheme = urlsplit(uri).scheme.lower()
    if scheme not in _SOURCES:
        raise Reject("refused", f"{scheme}: is no scheme to fetch from; use http, https, s3, gs or a local path")
    folder.mkdir(parents=True, exist_ok=True)
    partial, host, gate = PartialFile(folder, limits), urlsplit(uri).hostname or "", HostGate(limits.per_host)
    if partial.state().get("complete"):
        return partial.data

    def attempt() -> None:
        with gate.slot(host):
            try:
                partial.start()
                _SOURCES[scheme](uri, partial, limits)
            except Again as failure:
                if failure.wait_s:
                    gate.pause(host, failure.wait_s)
                raise

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(limits.attempts),
        wait=_wait(limits),
        retry=tenacity.retry_if_exception_type(Again),
        reraise=True,
    )
    try:
        retrying(attempt)
    except (Again, Reject) as failure:
        raise Reject(failure.reason, f"{redacted(uri)}: {failure.detail}") from None
    partial.note(complete=1)
    return partial.data


def _wait(limits: FetchLimits) -> Callable[[tenacity.RetryCallState], float]:
    exponential = tenacity.wait_exponential_jitter(initial=limits.backoff_s, max=60.0, jitter=limits.backoff_s)

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.wait_s if isinstance(failure, Again) else None
        return max(asked, 0.0) if asked is not None else exponential(state)

    return wait
