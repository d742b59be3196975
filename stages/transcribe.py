"""transcribe: transcribes the sound of a segment to sentences with times, by a speech model. Segment -> events, 1:N."""

import io
import wave
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables.media import SEGMENT
from schemas.tables.text import SEGMENT_TEXT
from stages.annotations.runs import cut_run
from workers.endpoint.answers import BadAnswer
from workers.endpoint.config import EndpointConfig
from workers.media.audio_format import RATE_HZ
from workers.media.media_limits import MediaLimits
from workers.media.sandboxed import audio_in_sandbox
from workers.storage.local_media import local_media
from workers.storage.store import Store

if TYPE_CHECKING:
    from workers.endpoint.speech import Spoken

READS = pa.schema(
    [("sha256", pa.string()), ("media", pa.string()), ("location", pa.string()), ("duration_s", pa.float64())]
    + [SEGMENT.field(name) for name in ("video_id", "segment_id", "start_s", "end_s", "seek_pts")]
)
_PAD_S = 1.0  # added before and after a part, so that no word is cut; a word belongs to the part that has its middle
_SILENCE = 33  # of 32767, -60 dB: sound without a louder sample contains no speech


class TranscribeConfig(StageConfig):
    """Sets how a model transcribes the videos that have sound and whose manifest has no `subtitles`."""

    not_content = ("limits",)

    part_s: float = Field(300.0, ge=10, le=700)
    """Maximum duration of sound per request in seconds. A second has 32 kB, and servers usually accept 25 MB."""
    sentence_gap_s: float = Field(1.0, gt=0, le=10)
    """Maximum pause between two words of a sentence, in seconds."""
    max_sentence_chars: int = Field(240, ge=20, le=1000)
    """Maximum length of a sentence; longer ones are divided at pauses."""
    limits: MediaLimits = MediaLimits()
    """Limits of the process that decodes the sound."""
    endpoint: EndpointConfig = Field(EndpointConfig(), exclude=True)
    """`annotate.endpoint`."""
    # Mostly waits for the model: the number of workers is the number of concurrent requests.
    resources: Resources = Resources(cpus=0.25, workers=(1, 8))

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on, with those of the endpoint."""
        return {**super().semantic(), "endpoint": self.endpoint.speech_content()}

    def expected_cost(self) -> dict[str, float]:
        """Returns the expected cost of a segment: one call with `part_s` seconds of sound."""
        return {"calls": 1, "minutes": self.part_s / 60}


def transcribe(unit: dict[str, Any], config: TranscribeConfig, store: Store) -> Iterator[pa.Table]:
    """Yields rows of SEGMENT_TEXT of the kind `speech`, in the order of time.

    Raises:
        Reject: `bad_answer`, `endpoint_failed`, `endpoint_cap`; as `audio_in_sandbox`.
    """
    from workers.endpoint.speech import SpeechEndpoint  # with an HTTP client, which commands do not need

    endpoint = SpeechEndpoint(config.endpoint, store, "transcribe")
    said: list[Spoken] = []
    with local_media(store, unit) as path:
        for start_s, end_s in _parts(unit["start_s"], unit["end_s"], config.part_s):
            first_s = max(0.0, start_s - _PAD_S)
            sound = audio_in_sandbox(
                path,
                config.limits,
                duration_s=unit["duration_s"],
                seek_pts=unit["seek_pts"],
                seek_s=unit["start_s"],
                start_s=first_s,
                end_s=end_s + _PAD_S,
            )
            if np.abs(sound.astype(np.int32)).max(initial=0) <= _SILENCE:
                continue
            try:
                heard = endpoint.transcribe(_wav(sound), len(sound) / RATE_HZ)
            except BadAnswer as bad:
                raise Reject("bad_answer", str(bad)) from None
            said += [
                word.model_copy(update={"start_s": word.start_s + first_s, "end_s": word.end_s + first_s})
                for word in heard
                if start_s <= first_s + (word.start_s + word.end_s) / 2 < end_s
            ]
    rows = [
        {
            "video_id": unit["video_id"],
            "segment_id": unit["segment_id"],
            "start_s": max(sentence[0].start_s, unit["start_s"]),
            "end_s": min(max(word.end_s for word in sentence), unit["end_s"]),
            "kind": "speech",
            "text": " ".join(word.text for word in sentence),
        }
        for sentence in _sentences(said, config)
    ]
    yield pa.Table.from_pylist(rows, SEGMENT_TEXT)


def _parts(start_s: float, end_s: float, part_s: float) -> list[tuple[float, float]]:
    """Divides an interval into parts of equal length, at most `part_s` seconds."""
    count = max(1, int(np.ceil((end_s - start_s) / part_s)))
    edges = np.linspace(start_s, end_s, count + 1).tolist()
    return list(pairwise(edges))


def _sentences(said: Sequence["Spoken"], config: TranscribeConfig) -> Iterator[Sequence["Spoken"]]:
    """Yields the words of each sentence; if the server returned sentences, these."""
    sentence: list[Spoken] = []
    for word in said:
        if sentence and (
            not word.is_word
            or sentence[-1].text.endswith((".", "!", "?", "。", "！", "？", "…"))
            or word.start_s - sentence[-1].end_s > config.sentence_gap_s
        ):
            yield from cut_run(sentence, config.max_sentence_chars)
            sentence = []
        sentence.append(word)
    if sentence:
        yield from cut_run(sentence, config.max_sentence_chars)


def _wav(sound: np.ndarray) -> bytes:
    """Encodes mono samples at RATE_HZ as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(sound.astype("<i2").tobytes())
    return file.getvalue()


def stage(config: TranscribeConfig) -> Stage:
    """Declares the stage."""
    return Stage(
        name="transcribe",
        version=2,
        reads=READS,
        writes=SEGMENT_TEXT,
        run=transcribe,
        config=config,
        emits="unit",
        cache_key_excludes=("media", "location", "duration_s"),
        kind="segment",
    )
