"""Fetches a file from http(s), s3 or gs: resumes where it stopped, whole or not at all, and only from where it may.

A fetch lies in a folder of its own: `data` grows, `state.json` says what it is a part of. Killed at any moment, the
next fetch asks the server for the rest, under the condition that the file is still the same one.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import tenacity

from schemas.rejects import Reject
from workers.fetch.host_limiter import HostGate
from workers.fetch.http import receive_http
from workers.fetch.object_store import receive_object
from workers.fetch.partial_file import Again, FetchLimits, PartialFile
from workers.fetch.urls import redacted

_HTTP, _OBJECTS = ("http", "https"), ("s3", "gs")


def fetch(uri: str, folder: Path, limits: FetchLimits) -> Path:
    """Fetches `uri` whole, after what an earlier call left in `folder`; gives the file.

    A call that fails leaves only what a later one can go on with.

    Raises:
        Reject: `unreachable`, `not_found`, `refused`, `too_large`, `incomplete`, `not_a_video` (a type of content
            that is no media). No message holds credentials or a query string.
    """
    scheme = urlsplit(uri).scheme.lower()
    if scheme not in (*_HTTP, *_OBJECTS):
        raise Reject("refused", f"{scheme}: is no scheme to fetch from; use http, https, s3, gs or a local path")
    folder.mkdir(parents=True, exist_ok=True)
    partial, gate = PartialFile(folder, limits), HostGate(limits.per_host)
    if partial.state().get("complete"):
        return partial.data

    def attempt() -> None:
        if scheme in _HTTP:
            receive_http(uri, partial, limits, gate)
            return
        with gate.slot(urlsplit(uri).hostname or "") as waited_s:
            partial.start(waited_s)
            receive_object(uri, partial, limits)

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(limits.attempts),
        wait=_wait(limits),
        retry=tenacity.retry_if_exception_type(Again),
        reraise=True,
    )
    try:
        retrying(attempt)
    except (Again, Reject) as failure:
        if not partial.state():  # nothing says what it is a part of
            shutil.rmtree(folder, ignore_errors=True)
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
