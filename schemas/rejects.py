"""Expected failures: each has a reason code and becomes a row of the table `rejects`."""

from schemas.messages import message

REASONS = {
    "unreachable": "the source did not answer, after all retries",
    "not_found": "the source has no such file",
    "refused": "the source or its address is not allowed by the config",
    "checksum_mismatch": "the file differs from the checksum in the manifest",
    "too_large": "the file is above download.max_bytes",
    "incomplete": "fewer bytes arrived than were promised, after all retries",
    "empty_file": "the file has no bytes",
    "not_a_video": "the file is no media container that can be opened",
    "no_video_stream": "the file holds no video stream (audio only, or nothing)",
    "no_frames": "the stream opens but not one frame can be decoded",
    "encrypted": "the stream is encrypted",
    "too_short": "the video is below the configured minimum",
    "too_long": "the video is above the configured maximum",
    "undecodable": "the decoder failed on the stream",
    "over_budget": "the file costs more to read than its size and duration account for",
    "decoder_timeout": "the decoder hung or ran over its time limit",
    "decoder_memory": "the decoder ran over its memory limit",
    "decoder_crashed": "the decoder's process crashed",
    "worker_died": "the process that worked on the unit crashed repeatedly",
    "bad_annotation": "subtitles, events or conversations cannot be read",
    "endpoint_failed": "the endpoint of the models did not answer, after all retries",
    "endpoint_cap": "annotate.endpoint.max_tokens or max_cost is used up",
    "bad_answer": "the model refused, or what it answered is not what was asked for",
    "unpackable": "the QA pairs or frames of the video cannot be written to a shard",
    "upstream_rejected": "every segment of the video was rejected",
}


class BuildStopped(ValueError):
    """Raised by a stage if no unit can be made until the user acts. It ends the build; its message is one line."""


class Reject(Exception):
    """Raised by a stage for a unit that cannot be made. The engine writes it as a reject row and continues.

    Args:
        reason: a code of `REASONS`.
        detail: explanation for the user, with the offending value but without credentials, query strings and addresses
            of machines. It is made printable and short, see `schemas.messages.message`.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        assert reason in REASONS, f"unknown reject reason {reason!r}"
        super().__init__(f"{reason}: {message(detail)}")
        self.reason, self.detail = reason, message(detail)

    def __reduce__(self) -> tuple[type["Reject"], tuple[str, str]]:
        return Reject, (self.reason, self.detail)
