"""Transcribes audio by an OpenAI-compatible endpoint to words with times."""

import hashlib
from typing import Any

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.endpoint.answers import MAX_CHARS, BadAnswer, plain
from workers.endpoint.client import NOT_THE_API, Endpoint

_MAX_WORDS = 100_000
_SLACK_S = 5.0
_ROUNDING_S = 0.05  # how much earlier than its start a word may end


class _Timed(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    start: float = Field(ge=0)
    end: float = Field(ge=0)


class _Word(_Timed):
    word: str = Field(max_length=1000)


class _Sentence(_Timed):
    text: str = Field(max_length=10_000)


class _Transcript(BaseModel):
    text: str = Field("", max_length=MAX_CHARS)
    words: list[_Word] | None = Field(None, max_length=_MAX_WORDS)
    segments: list[_Sentence] | None = Field(None, max_length=_MAX_WORDS)


class Spoken(BaseModel):
    """Holds a word, or a sentence if the server returns no words; times in seconds from the start of the audio."""

    start_s: float
    end_s: float
    text: str
    is_word: bool


class SpeechEndpoint(Endpoint):
    """Sends audio to the endpoint of a speech model."""

    def transcribe(self, wav: bytes, seconds: float) -> list[Spoken]:
        """Returns the words of the audio in temporal order.

        Raises:
            BadAnswer: the answer is not a transcript with times.
            Reject: `endpoint_failed`, `endpoint_cap`.
            BuildStopped: the address, the key or the model is wrong.
        """
        key = self.answers.key(["speech", self.config.speech_content(), hashlib.sha256(wav).hexdigest()])
        raw = self.answers.get(key)
        if raw is None:
            raw = anyio.run(self._fetch_transcript, wav, seconds)
            self.answers.put(key, raw)
        try:
            return _spoken(_Transcript.model_validate(raw), seconds)
        except (BadAnswer, ValidationError) as error:
            self.answers.forget(key)
            raise error if isinstance(error, BadAnswer) else BadAnswer("the cached answer is damaged") from None

    async def _fetch_transcript(self, wav: bytes, seconds: float) -> dict[str, Any]:
        most = {"minutes": seconds / 60}
        with self.ledger.reserve(most) as cost:
            async with self.connection.open() as client:
                raw = await self.connection.content(
                    client.audio.transcriptions.with_raw_response.create(
                        file=("audio.wav", wav, "audio/wav"),
                        model=self.config.speech_model,
                        response_format="verbose_json",
                        timestamp_granularities=["word", "segment"],
                        temperature=0,
                    ),
                    model="speech_model",
                )
            cost |= most
            try:
                return _Transcript.model_validate_json(raw).model_dump()
            except ValidationError:
                raise BadAnswer(f"the response is not a transcript with times; {NOT_THE_API}") from None


def _spoken(transcript: _Transcript, seconds: float) -> list[Spoken]:
    words = [(w.start, w.end, w.word) for w in transcript.words or []]
    sentences = [(s.start, s.end, s.text) for s in transcript.segments or []]
    if transcript.text.strip() and not words and not sentences:
        raise BadAnswer("the transcript has no times: the model must know `verbose_json`")
    found = []
    for start, end, text in words or sentences:
        end = max(start, end) if start - end < _ROUNDING_S else end
        if not start <= end <= seconds + _SLACK_S:
            raise BadAnswer("a word ends before it starts, or after the audio")
        if text := plain(text):
            found.append(Spoken(start_s=start, end_s=min(end, seconds), text=text, is_word=bool(words)))
    return sorted(found, key=lambda spoken: spoken.start_s)
