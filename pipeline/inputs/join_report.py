"""What was joined between annotation files and videos, and what was not."""

from collections import Counter
from dataclasses import dataclass, field

from schemas.messages import counted
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
        files: number of files that were tried.
        unreadable: files that could not be read, or not to their end, by the reason.
    """

    name: str
    formats: Counter[str] = field(default_factory=Counter)
    joined: int = 0
    not_found: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    files: int = 0
    unreadable: dict[str, list[str]] = field(default_factory=dict)

    def add_unreadable(self, name: str, error: Exception) -> None:
        """Counts a file that could not be read."""
        self.unreadable.setdefault(str(error), []).append(name)

    def is_unreadable(self) -> bool:
        """Whether nothing could be read."""
        return self.files == sum(map(len, self.unreadable.values()))

    def unreadable_lines(self) -> list[str]:
        """One line per reason, the most frequent first; the reason comes last, since it may be long."""
        by_number = sorted(self.unreadable.items(), key=lambda reason: -len(reason[1]))
        lines = [f"could not be read: {_examples(counted(len(n), 'file'), n)}: {why}" for why, n in by_number]
        more = sum(len(names) for _, names in by_number[MAX_EXAMPLES:])
        return lines[:MAX_EXAMPLES] + ([f"could not be read: {counted(more, 'more file')}"] if more else [])

    def line(self) -> str:
        """The report for a person, without the files that could not be read."""
        formats = ", ".join(f"{name}" if n == 1 else f"{n} files {name}" for name, n in self.formats.most_common())
        joined = counted(self.joined, "record")
        return f"{self.name}: {formats or 'nothing'}; {joined} joined, {self.not_found:,} of other videos"


@dataclass
class JoinReport:
    """What was joined and what was not, for the whole run; per video it is in `report.jsonl`."""

    sources: list[SourceReport] = field(default_factory=list)
    videos: int = 0
    written: int = 0
    """Rows of the manifest."""
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
        lines = [line for source in self.sources for line in (source.line(), *source.unreadable_lines())]
        lines.append(
            f"{self.annotated:,} of {counted(self.videos, 'video')} with annotations: "
            f"{counted(self.events, 'event')}, {counted(self.conversations, 'conversation')}"
        )
        left_out = [reason for reason in sorted(counts) if reason not in (*REPAIRED, *NOTED)]
        for name, reasons in (("left out", left_out), ("repaired", REPAIRED), ("kept as they are", NOTED)):
            if found := [f"{counts[reason]} {reason}" for reason in reasons if counts[reason]]:
                lines.append(f"{name}: {', '.join(found)}")
        for what, count, noun, examples in (
            ("of no video here", self.num_unknown, "id", self.unknown_ids),
            ("of several videos here, and joined to none", self.num_ambiguous, "id", self.ambiguous_ids),
            ("in no annotation file", self.videos - self.annotated, "video", self.without),
        ):
            if count:
                lines.append(f"{what}: {_examples(counted(count, noun), examples)}")
        return lines


def _examples(number: str, names: list[str]) -> str:
    return f"{number}, e.g. {', '.join(map(format_value, names[:MAX_EXAMPLES]))}"
