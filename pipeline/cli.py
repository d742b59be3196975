"""The entry point of the command line: runs a command, and turns errors and signals into one line."""

import atexit
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

from pipeline.os_errors import explained
from pipeline.stop_signals import ended_by_signals
from pipeline.terminal import Terminal, allow_all_characters
from schemas.config_error import ConfigError
from schemas.messages import message
from workers.fetch.redaction import scrub_text

RESUMABLE = "Finished units are kept: run the same command again to continue."


def _run(words: list[str]) -> int:
    """Runs a command and gives its exit code. Raises ConfigError for words that it does not take."""
    if short := _without_options(words):
        short()
        return 0
    from typer.exceptions import TyperException

    from pipeline.commands import making, reading  # noqa: F401 - they add their commands to the application
    from pipeline.commands.app import app

    try:
        code = app(words or ["--help"], prog_name="longvid", standalone_mode=False)
    except TyperException as error:
        context, name = getattr(error, "ctx", None), getattr(error, "option_name", "")
        said = getattr(error, "format_message", error.__str__)().rstrip(".")
        command = context.command_path if context else f"longvid {words[0]}"
        is_value = name.startswith("-") and not name.startswith("--")
        advice = "; put -- before an argument that begins with -" if is_value else ""
        raise ConfigError(f"{said}: see `{command} --help`{advice}") from None
    return (code or 0) if words else 2


def _without_options(words: list[str]) -> Callable[[], None] | None:
    """Returns the call of a command that only looks at a corpus and was given no options, else None.

    The parser of options takes as long to import as DuckDB and pyarrow together.
    """
    if any(word.startswith("-") for word in words):
        return None
    match words:
        case ["status", corpus]:
            from pipeline.status import status

            return partial(status, corpus, Terminal())
        case ["plan", corpus]:
            from pipeline.status import planned

            return partial(planned, corpus, Terminal())
        case ["query", corpus, sql]:
            from pipeline.query import query

            return partial(query, corpus, sql)
    return None


def _refuse_empty(words: list[str]) -> None:
    """Raises ConfigError for an empty argument or option, such as an unset variable of a script; as a path, it would be
    the current folder.
    """
    for before, word in zip(["", *words], words, strict=False):
        if not word.strip() or re.fullmatch("--[a-z-]+=\\s*", word):
            name = word.strip(" =") or (before if before.startswith("-") else "an argument")
            raise ConfigError(f"{name}: is empty; give it a value, or leave it out")


def main() -> NoReturn:
    """Runs the command line and ends the process, without Python's finalization: it takes a second after a build."""
    try:
        run()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if not stream.closed:
                stream.flush()
        except BrokenPipeError:  # whoever read it is gone
            continue
        except OSError as error:
            code = code or 2
            with suppress(OSError):
                os.write(2, f"error: the output cannot be written: {error}\n".encode())
    os._exit(code)


def run() -> NoReturn:
    """Runs the command line, and exits. A signal or an error in the user's input or in storage becomes one line."""
    allow_all_characters()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would search all installed packages for them
    advice = RESUMABLE if {"build", "demo", "train"} & {*sys.argv[1:2]} else ""
    if {"status", "plan", "query", "config"} & {*sys.argv[1:2]}:
        from pipeline.arrow_start import skip_pandas

        skip_pandas()
    try:
        _refuse_empty(sys.argv[1:])
        with ended_by_signals(advice):
            code = _run(sys.argv[1:])
    except (ValueError, OSError) as error:
        if type(error) in (ValueError,):  # ours are subclasses that speak to the user; a bare one is a bug to be seen
            raise
        # By the line, since some errors have several: one for each field that is wrong.
        lines = f"error: {scrub_text(explained(error))}".split("\n")
        Terminal(stderr=True).print("\n".join(map(message, lines)), style="red")
        sys.exit(2)
    sys.exit(code)
