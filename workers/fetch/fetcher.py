"""Downloads a file from http(s), s3 or gs. Downloads are resumed, complete or absent, and restricted by `Access`.

A download has its own folder: `data` grows, and `state.json` identifies the file it belongs to. After an interruption,
the next call requests the rest on the condition that the file has not changed.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import tenacity

from schemas.rejects import Reject
from workers.fetch.access import Access, check, open_local
from workers.fetch.host_limiter import HostLimiter
from workers.fetch.http import receive_http
from workers.fetch.limits import FetchLimits
from workers.fetch.object_store import OpenObject, open_object, receive_object
from workers.fetch.partial_file import PartialFile, RetryableError, State
from workers.fetch.redaction import redacted, scrub_secrets
from workers.fetch.urls import HttpUrl, LocalUrl


def fetch(uri: str, folder: Path, limits: FetchLimits, known: State | None = None) -> Path | None:
    """Downloads `uri` completely, resuming from what an earlier call left in `folder`.

    Returns the path of the file, or None if the source reports that the file is still the version `known`.

    A failed call leaves only data that a later call can resume from.

    Raises:
        Reject: `unreachable`, `not_found`, `refused`, `too_large`, `incomplete`, or `not_a_video` (the content type is
            not media). Messages contain neither credentials nor query strings.
        BuildStopped: the credentials are not accepted.
    """
    try:
        url = check(uri, limits.access)
        if isinstance(url, LocalUrl):
            raise Reject("refused", "local files are not downloaded")
    except Reject as rejected:
        raise _named(uri, rejected) from None
    folder.mkdir(parents=True, exist_ok=True)
    partial, limiter = PartialFile(folder, limits), HostLimiter(limits.per_host, limits.max_retry_after_s)
    if partial.state().get("complete"):
        return partial.data

    def attempt() -> bool:
        if isinstance(url, HttpUrl):
            return receive_http(url, partial, limits, limiter, known or {})
        with limiter.slot(url.bucket) as waited_s:
            partial.start(waited_s)
            return receive_object(url, partial, limits, known or {})

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(limits.attempts),
        wait=_wait(limits),
        retry=tenacity.retry_if_exception_type(RetryableError),
        reraise=True,
    )
    try:
        if not retrying(attempt):
            return None
    except (RetryableError, Reject) as failure:
        if not partial.state():  # the data cannot be resumed without a state
            shutil.rmtree(folder, ignore_errors=True)
        raise _named(uri, failure) from None
    partial.note(**(partial.state() | {"complete": True}))
    return partial.data


def read_bytes(uri: str, max_bytes: int, access: Access) -> bytes:
    """Reads a small local, s3 or gs file completely.

    Raises:
        Reject: `not_found`, `refused`, `unreachable` or `too_large`.
        BuildStopped: the credentials are not accepted.
    """
    url = check(uri, access)
    if isinstance(url, HttpUrl):
        raise Reject("refused", "files on http(s) are not read here; download the file first")
    try:
        source = open_local(url) if isinstance(url, LocalUrl) else open_object(url, access)
        with source:
            size = source.size if isinstance(source, OpenObject) else os.fstat(source.fileno()).st_size
            data = source.read(max_bytes + 1) if size <= max_bytes else b""
    except RetryableError as failure:
        raise Reject(failure.reason, failure.detail) from None
    if max(size, len(data)) > max_bytes:
        raise Reject("too_large", f"has {max(size, len(data))} bytes, above {max_bytes}")
    return data


def _named(uri: str, failure: Reject | RetryableError) -> Reject:
    return Reject(failure.reason, f"{redacted(uri)}: {scrub_secrets(failure.detail, uri)}")


def _wait(limits: FetchLimits) -> Callable[[tenacity.RetryCallState], float]:
    exponential = tenacity.wait_exponential_jitter(initial=limits.backoff_s, max=60.0, jitter=limits.backoff_s)

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        if isinstance(failure, RetryableError) and (failure.at_once or failure.pause_s is not None):
            return 0.0  # the limiter waits until the pause ends
        return exponential(state)

    return wait
