"""Hostile inputs, secrets, sandbox escapes, parser times and the sandbox's cost: what was tried, and what came of it.

    python -m benchmarks.security

The hostile inputs and the videos are files beside the checkout; what was not found or not checked is printed with a
value of null.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks import _hostile, _secrets, decoder_sandbox
from benchmarks._attacks import attack_all
from benchmarks._measure import at_least, at_most, report
from schemas.rejects import Reject
from stages.annotations.conversations import parse_conversations
from stages.annotations.event_lines import parse_event_lines
from stages.annotations.subtitles import parse_subtitles
from stages.annotations.text import AnnotationError

MEGABYTE = 10**6
_CUE = b"1\n00:00:01,000 --> 00:00:02,000\n"
# One megabyte each of what was quadratic once, or looks as if it could be.
TEXTS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "subtitles: brackets": (parse_subtitles, _CUE + b"<" * MEGABYTE),
    "subtitles: combining marks": (parse_subtitles, _CUE + "a\u0301".encode() * (MEGABYTE // 3)),
    "subtitles: rolling lines": (parse_subtitles, _CUE + b"a\n" * (MEGABYTE // 2)),
    "subtitles: entities": (parse_subtitles, _CUE + b"&#1" * (MEGABYTE // 3)),
    "subtitles: cues": (parse_subtitles, (_CUE + b"a\n\n") * (MEGABYTE // 36)),
    "events: digits": (parse_event_lines, b'{"start_s": ' + b"1" * MEGABYTE + b"}"),
    "events: depth": (parse_event_lines, b'{"a": ' + b"[" * MEGABYTE),
    "conversations: depth": (lambda data: parse_conversations(data.decode()), b"[" * MEGABYTE),
}


def hostile_inputs() -> None:
    figure = "hostile inputs with the right ending"
    if not _hostile.CASES.is_dir():
        report(figure, None, "%", ">= 100", None, why=f"no folder {_hostile.CASES.name} beside the checkout")
        return
    with tempfile.TemporaryDirectory() as folder:
        ended = [*_hostile.endings(Path(folder)), _hostile.bomb(Path(folder))]
    wrong = {ending.name: ending.what for ending in ended if not ending.is_right}
    at_least(figure, 100 * (1 - len(wrong) / len(ended)), "%", 100, tried=len(ended), wrong=wrong)


def secrets() -> None:
    with tempfile.TemporaryDirectory() as folder:
        built = _secrets.search(Path(folder))
    figure, bar = "secrets of a manifest found after a build", "<= 0"
    if built.exit_code:
        report(figure, None, "places", bar, False, planted=built.planted, why=built.said)
    else:
        at_most(figure, len(built.found), "places", 0, planted=built.planted, found=built.found)


def cost() -> None:
    videos = decoder_sandbox.videos()
    if videos:
        decoder_sandbox.main(videos)
    else:
        report("decoding in the sandbox, more than in this process", None, "%", "<= 2", None, why="no long videos here")


def escapes() -> None:
    refused = attack_all()
    checked = {name: held for name, held in refused.items() if held is not None}
    share = 100 * sum(checked.values()) / len(checked)
    got_out = [name for name, held in checked.items() if not held]
    at_least("sandbox escapes refused", share, "%", 100, tried=len(refused), got_out=got_out)
    for name in refused.keys() - checked.keys():
        report(f"sandbox escape: {name}", None, "", None, None, why="this kernel lacks the layer that would refuse it")


def parsers() -> None:
    for name, (parse, data) in TEXTS.items():
        start = time.process_time()
        with suppress(AnnotationError, Reject):  # refused is as good as read
            parse(data)
        at_most(f"1 MB of {name}", time.process_time() - start, "CPU s", 1.0)


def main() -> None:
    escapes()
    parsers()
    hostile_inputs()
    secrets()
    cost()


if __name__ == "__main__":
    main()
