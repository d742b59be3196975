"""What was joined between annotation files and videos, and what was not."""

from collections import Counter
from dataclasses import dataclass, field

from stages.annotations.reasons import NOTED, REPAIRED
from workers.fetch.redaction import format_value

MAX_EXAMPLES = 3


@dataclass
class SourceReport:
    """What a file of annotations told, or all files of a folder.

    Attributes:
        formats: how many files are of which format.
        joined: how many records tell of a video of the manifest, and `not_found`, how many do not.
        counts: rows of no video that were left out, by reason.
        unreadable: some files that could not be read, or not to their end, with the reason.
    """

    name: str
    formats: Counter[str] = field(default_factory=Counter)
    joined: int = 0
    not_found: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    num_unreadable: int = 0

    def add_unreadable(self, name: str, error: Exception) -> None:
        """Counts a file that could not be read."""
        self.num_unreadable += 1
        if len(self.unreadable) < MAX_EXAMPLES:
            self.unreadable.append(f"{name}: {error}")

    def line(self) -> str:
        """The report for a person."""
        formats = ", ".join(f"{name}" if n == 1 else f"{n} files {name}" for name, n in self.formats.most_common())
        line = f"{self.name}: {formats or 'nothing'}; {self.joined} records joined, {self.not_found} of other videos"
        if self.num_unreadable:
            line += f"; {self.num_unreadable} files could not be read, e.g. {format_value('; '.join(self.unreadable))}"
        return line


@dataclass
class JoinReport:
    """What was joined and what was not, for the whole run; per video it is in `report.jsonl`."""

    sources: list[SourceReport] = field(default_factory=list)
    videos: int = 0
    annotated: int = 0
    events: int = 0
    conversations: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Of the events of all videos: reasons of `stages.annotations.repair`, and those of formats."""
    unknown_ids: list[str] = field(default_factory=list)
    """Some ids that no video of the manifest has."""
    ambiguous_ids: list[str] = field(default_factory=list)
    """Some ids that several videos of the manifest have."""
    without: list[str] = field(default_factory=list)
    """Some videos of which no file tells."""
    num_unknown: int = 0
    num_ambiguous: int = 0

    def add_video(self, events: int, conversations: int, counts: Counter[str]) -> None:
        """Adds what was joined to one video."""
        self.annotated += 1
        self.events += events
        self.conversations += conversations
        self.counts.update(counts)

    def lines(self) -> list[str]:
        """The report for a person: files, what was left out and repaired, and what found no partner."""
        counts = self.counts + sum((source.counts for source in self.sources), Counter())
        lines = [source.line() for source in self.sources]
        lines.append(
            f"{self.annotated} of {self.videos} videos have annotations: {self.events} events, "
            f"{self.conversations} conversations"
        )
        left_out = [reason for reason in sorted(counts) if reason not in (*REPAIRED, *NOTED)]
        for name, reasons in (("left out", left_out), ("repaired", REPAIRED), ("kept as they are", NOTED)):
            if found := [f"{counts[reason]} {reason}" for reason in reasons if counts[reason]]:
                lines.append(f"{name}: {', '.join(found)}")
        for count, what, examples in (
            (self.num_unknown, "ids of the annotations are of no video here", self.unknown_ids),
            (self.num_ambiguous, "ids are of several videos here, and joined to none", self.ambiguous_ids),
            (self.videos - self.annotated, "videos here are in no annotation file", self.without),
        ):
            if count:
                lines.append(f"{count} {what}, e.g. {', '.join(map(format_value, examples))}")
        return lines
