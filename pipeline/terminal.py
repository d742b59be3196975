"""Prints untrusted text on a terminal."""

import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from schemas.messages import printable


class Terminal(Console):
    """Prints strings as they are: no markup, no emoji codes, no colouring of numbers, no control characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"soft_wrap": True, "markup": False, "emoji": False, "highlight": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Converts a string to text; rich calls this for all strings, also for those in tables."""
        return super().render_str(printable(text), **options)


def folded_table(*names: str, **options: Any) -> Table:
    """Returns a table whose cells are wrapped where they are too long for the window; rich cuts long words off."""
    return Table(*(Column(name, overflow="fold") for name in names), **options)


def allow_all_characters() -> None:
    """Makes standard output and error write characters that their encoding lacks (Latin-1, for example) as escapes.

    Where one is closed (`>&-`), what is written to it is discarded.
    """
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115  # open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115  # open to the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
