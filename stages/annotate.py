"""annotate: collects the annotations of a video from all its sources as timed events. Video -> events, 1:N."""

import posixpath
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import pyarrow as pa

from schemas.flags import PARTLY_ANNOTATED
from schemas.rejects import Reject
from schemas.rows import AnnotationRow, OriginRow, Row
from schemas.stage import Stage
from schemas.tables.media import MANIFEST, VIDEO
from schemas.tables.text import ANNOTATION, TIMED_TEXT_NAMES
from stages.annotate_config import AnnotateConfig as AnnotateConfig  # as other modules of stages have theirs
from stages.annotations.left_out import LeftOut, summed
from stages.annotations.origin import printable
from stages.annotations.sandboxed import parse
from stages.annotations.sources import Known, in_one_language, with_origins
from stages.annotations.text import AnnotationError
from stages.annotations.timeline import in_seconds, is_inside, on_timeline
from stages.prompts import prompt_hash
from workers.fetch.access import Access
from workers.fetch.redaction import redacted, scrub_secrets, without_credentials
from workers.storage.store import Store

READS = pa.schema(
    [
        *(VIDEO.field(name) for name in ("video_id", "sha256", "duration_s")),
        *(MANIFEST.field(name) for name in ("events", "subtitles", "events_file")),
        ("annotation_stamp", pa.string()),
        *(MANIFEST.field(name) for name in ("conversations", "conversation_origins", "annotation_licence")),
    ]
)
MODEL_READS = pa.schema(
    [
        ("merge_captions_unit", pa.string()),  # null: the video was not captioned
        ("transcribe_units", pa.list_(pa.string())),
        ("rejected_segments", pa.int32()),  # of caption and transcribe
    ]
)
OUTSIDE, MILLISECONDS, LEFT_OUT = "events_outside_video", "events_in_milliseconds", "rows_left_out"  # flags of a video


def annotate(unit: Row, config: AnnotateConfig, store: Store, access: Access = Access()) -> Iterator[pa.Table]:
    """Yields one row of ANNOTATION; its events are sorted by time, conversations come last.

    Times are clipped to the video; an event that lies entirely outside it is dropped and counted, as are bad rows of a
    clip list and cues without readable times.

    Raises:
        Reject: `bad_annotation`, with the file and the line.
    """
    events: list[Row] = []
    flags: set[str] = set()
    bad: list[str] = []
    left_out: list[LeftOut] = []
    if unit.get("rejected_segments"):
        flags.add(PARTLY_ANNOTATED)
    for source, read in chain(_sources(unit, config, access), _models(unit, config, store)):
        try:
            known = read()
        except AnnotationError as error:
            bad.append(str(error))
            if config.on_bad == "reject":
                break
            continue
        # The unit of time in subtitles is known.
        is_unclear = source != "subtitles"
        timed, are_converted = in_seconds(known.events, unit["duration_s"]) if is_unclear else (known.events, False)
        events += [{**event, "source": source, "origin": _origin(event["origin"], unit)} for event in timed]
        flags.update((*known.flags, *([MILLISECONDS] if are_converted else [])))
        left_out += known.left_out
    if bad and (config.on_bad == "reject" or not events):
        raise Reject("bad_annotation", "; ".join(bad))
    if len(events) > config.max_events:
        raise Reject("bad_annotation", f"{len(events)} events, above annotate.max_events = {config.max_events}")
    inside = [event for event in events if is_inside(event, unit["duration_s"])]
    outside = len(events) - len(inside)
    placed = on_timeline(inside, unit["video_id"], unit["duration_s"], config.instant_s)
    clips = dict.fromkeys((event["start_s"], event["end_s"]) for event in placed if event["kind"] == "clip")
    row: AnnotationRow = {
        "video_id": unit["video_id"],
        "events": [event for event in placed if event["text"]],
        # Only conversations have no times.
        "clips": [{"start_s": start, "end_s": end} for start, end in clips],  # type: ignore[typeddict-item]
        "annotation_flags": sorted({*flags, *([OUTSIDE] if outside else []), *([LEFT_OUT] if left_out else [])}),
        "events_outside_video": outside,
        "rows_left_out": [{"reason": r, "count": n, "example": e} for r, n, e in summed(left_out)],
    }
    yield pa.Table.from_pylist([row], ANNOTATION)


def _origin(told: Row, unit: Row) -> OriginRow:
    """Returns a row of ORIGIN. Annotations without a licence have that of the manifest's row; those of models none."""
    licence = told.get("licence") or (None if "prompt" in told else unit.get("annotation_licence"))
    texts = told.get("file"), told.get("format"), licence
    file, form, licence = (text and without_credentials(text) for text in texts)
    return OriginRow(file=file, row=told.get("row"), format=form, licence=licence, prompt=told.get("prompt") or None)


def _sources(unit: Row, config: AnnotateConfig, access: Access) -> Iterator[tuple[str, Callable[[], Known]]]:
    """Yields the name of each source of the video, and a function that reads it."""
    if text := unit["events"]:
        yield "manifest", lambda: _parse("events", text.encode(), "events of the manifest", config).of(format="events")
    if path := unit["events_file"]:
        file = partial(_read, "event_file", path, config, access, encoding=config.encoding)
        yield "events_file", lambda: file().of(format="events", file=_file_name(path))
    if unit["subtitles"]:
        yield "subtitles", lambda: _read_subtitles(unit["subtitles"], config, access)
    if conversations := unit["conversations"]:
        where, origins = "conversations of the manifest", unit.get("conversation_origins")
        parsed = partial(_parse, "conversations", conversations.encode(), where, config)
        yield "conversations", lambda: with_origins(parsed(), origins).of(format="llava")


def _models(unit: Row, config: AnnotateConfig, store: Store) -> Iterator[tuple[str, Callable[[], Known]]]:
    """Yields the name of each model that annotated the video, and a function that reads its events."""
    captions, speech = unit.get("merge_captions_unit"), unit.get("transcribe_units") or []
    if captions:
        prompts = "+".join(f"{name}:{prompt_hash(name)}" for name in ("caption", "merge_captions"))
        yield config.endpoint.model, partial(_units, [captions], store, "caption", prompts)
    if speech:
        yield config.endpoint.speech_model, partial(_units, speech, store, "transcribe", "")


def _units(paths: Iterable[str], store: Store, stage_name: str, prompt: str) -> Known:
    rows = [row for path in paths for row in store.read_table(path, TIMED_TEXT_NAMES).to_pylist()]
    return Known(rows).of(format=stage_name, prompt=prompt)


def _read_subtitles(paths: Iterable[str], config: AnnotateConfig, access: Access) -> Known:
    """Reads subtitle files and returns those in the chosen language; see `in_one_language`."""
    files: list[tuple[str, Known]] = []
    first_error = None
    for path in dict.fromkeys(paths):
        try:
            known = _read(
                "subtitles", path, config, access, name=posixpath.basename(path), encoding=config.encoding,
                gap_s=config.sentence_gap_s, max_chars=config.max_sentence_chars,
            )  # fmt: skip
            files.append((path, known.of(format="subtitles", file=_file_name(path))))
        except AnnotationError as error:
            first_error = first_error or error
            if config.on_bad == "reject":
                break
    if first_error and (config.on_bad == "reject" or not files):
        raise first_error
    return in_one_language(files, config.subtitle_languages)


def _read(task: str, address: str, config: AnnotateConfig, access: Access, **options: Any) -> Known:
    """Reads a file on a local path, s3:// or gs://. Raises AnnotationError with its name if it is missing or bad."""
    from workers.fetch.fetcher import read_bytes  # with an HTTP client, which commands do not need

    try:
        data = read_bytes(address, config.max_file_bytes, access)
    except Reject as rejected:
        setting = " (annotate.max_file_bytes)" if rejected.reason == "too_large" else ""
        detail = scrub_secrets(rejected.detail, address) + setting
        raise AnnotationError(f"{_shown_name(address)}: {detail}") from None
    return _parse(task, data, _shown_name(address), config, **options)


def _parse(task: str, data: bytes, where: str, config: AnnotateConfig, **options: Any) -> Known:
    try:
        return parse(task, data, config.limits, config.max_events, **options)
    except AnnotationError as error:
        raise AnnotationError(f"{where}: {error}") from None


def _file_name(path: str) -> str:
    return printable(posixpath.basename(redacted(path)))


def _shown_name(path: str) -> str:
    """Returns a file's name for messages, shortened if it is long."""
    name = posixpath.basename(redacted(path))
    return name if len(name) <= 100 else f"{name[:60]}...{name[-30:]}"


def stage(config: AnnotateConfig, access: Access | None = None) -> Stage:
    """Declares the stage. Units depend on the models' results only if there are annotators."""
    return Stage(
        name="annotate",
        reads=pa.schema([*READS, *MODEL_READS]) if config.annotators else READS,
        writes=ANNOTATION,
        run=partial(annotate, access=access or Access(local_files=False)),
        config=config,
        emits="rows",
        version=12,
        # `annotation_stamp` changes with the content of these files; their location does not matter.
        cache_key_excludes=("subtitles", "events_file"),
    )
