"""Questions of benchmarks among those of a corpus, by runs of words."""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.known import Known, Row
from stages.qa.audit.overlap import QuestionIndex


def questions_in_common(pairs: Iterable[Row], known: Sequence[Known]) -> Iterator[tuple[Row, Known, str, float]]:
    """Yields each pair that a benchmark has, with the benchmark, its question and the score.

    Args:
        pairs: rows with `question` and `options`.
        known: the benchmarks.
    """
    asked = [(one, question) for one in known for question in one.questions]
    index = QuestionIndex(question for _, question in asked)
    for pair in pairs if asked else ():
        if found := index.find("\n".join([pair["question"], *pair["options"]])) or index.find(pair["question"]):
            yield pair, *asked[found[0]], found[1]
