"""Reports which annotations were joined to which videos, and which were not."""

from collections import Counter
from dataclasses import dataclass, field

from schemas.messages import counted
from stages.annotations.reasons import NOTED, REPAIRED
from workers.fetch.redaction import format_value

MAX_EXAMPLES = 3


@dataclass
class SourceReport:
    """Reports on one annotation file, or on all files of a folder.

    Attributes:
        formats: number of files by format.
        joined: number of records about videos of the manifest; `not_found`: number of all others.
        counts: number of dropped rows that name no video, by reason.
        files: number of files.
        unreadable: names of the files that could not be read completely, by reason.
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
        """Returns whether no file could be read."""
        return self.files == sum(map(len, self.unreadable.values()))

    def unreadable_lines(self) -> list[str]:
        """Returns one line per reason, the most frequent first; the reason comes last, since it may be long."""
        by_number = sorted(self.unreadable.items(), key=lambda reason: -len(reason[1]))
        lines = [f"could not be read: {_examples(counted(len(n), 'file'), n)}: {why}" for why, n in by_number]
        more = sum(len(names) for _, names in by_number[MAX_EXAMPLES:])
        return lines[:MAX_EXAMPLES] + ([f"could not be read: {counted(more, 'more file')}"] if more else [])

    def line(self) -> str:
        """Returns the report as a line of text, without the files that could not be read."""
        formats = ", ".join(name if n == 1 else f"{n} files {name}" for name, n in self.formats.most_common())
        joined = counted(self.joined, "record")
        return f"{self.name}: {formats or 'nothing'}; {joined} joined, {self.not_found:,} of other videos"


@dataclass
class JoinReport:
    """Reports on the whole run; `report.jsonl` has one line per video."""

    sources: list[SourceReport] = field(default_factory=list)
    videos: int = 0
    written: int = 0
    """Number of rows of the manifest."""
    annotated: int = 0
    events: int = 0
    conversations: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Number of events by reason, over all videos; for the reasons, see `stages.annotations.repair`."""
    unknown_ids: list[str] = field(default_factory=list)
    """Examples of ids that no video of the manifest has."""
    ambiguous_ids: list[str] = field(default_factory=list)
    """Examples of ids that several videos of the manifest have."""
    without: list[str] = field(default_factory=list)
    """Examples of videos without annotations."""
    num_unknown: int = 0
    num_ambiguous: int = 0

    def add_video(self, events: int, conversations: int, counts: Counter[str]) -> None:
        """Adds the counts of one video."""
        self.annotated += 1
        self.events += events
        self.conversations += conversations
        self.counts.update(counts)

    def lines(self) -> list[str]:
        """Returns the report as lines of text: files, dropped and repaired rows, and ids without a match."""
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
            ("matching no video", self.num_unknown, "id", self.unknown_ids),
            ("matching several videos, not joined", self.num_ambiguous, "id", self.ambiguous_ids),
            ("in no annotation file", self.videos - self.annotated, "video", self.without),
        ):
            if count:
                lines.append(f"{what}: {_examples(counted(count, noun), examples)}")
        return lines


def _examples(number: str, names: list[str]) -> str:
    return f"{number}, e.g. {', '.join(map(format_value, names[:MAX_EXAMPLES]))}"
