"""Questions of benchmarks among those of a corpus: by runs of words and, with a sentence encoder, in other words."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from pipeline.decontamination.contents import Known, Row
from pipeline.inputs.recipe import recorded_recipe
from pipeline.tables.corpus_file import CORPUS
from stages.qa.audit.overlap import QuestionIndex
from stages.qa.audit.same_question import ParaphraseIndex
from workers.storage.store import Store
from workers.towers.text_encoder import CLIP, encoder_folder, load_encoder

_PAIRS = 256  # of the corpus, whose questions are embedded at once


def text_model(store: Store, say: Callable[[str], None]) -> str:
    """Returns the folder of the sentence encoder that a corpus names; empty if it names none, or a CLIP tower.

    A folder that is not on this machine is reported by `say`, and the result is empty.
    """
    named = recorded_recipe(store).write_qa.text_model if store.exists(CORPUS) else ""
    if named in ("", CLIP):
        return ""
    try:
        return encoder_folder(named)
    except ValueError as error:
        say(f"questions in other words are not searched for: write_qa.{error}")
        return ""


def questions_in_common(
    pairs: Iterable[Row], known: Sequence[Known], model: str
) -> Iterator[tuple[Row, Known, str, float, str]]:
    """Yields each pair that a benchmark has, with the benchmark, its question, the score and how it was found.

    Args:
        pairs: rows with `question` and `options`.
        known: the benchmarks.
        model: folder of a sentence encoder; empty: questions in other words are not found.
    """
    asked = [(one, question) for one in known for question in one.questions]
    if not asked:
        return
    index = QuestionIndex(question for _, question in asked)
    paraphrases = ParaphraseIndex([question for _, question in asked], load_encoder(model)) if model else None
    rest = iter(pairs)
    while some := list(islice(rest, _PAIRS)):
        texts = ["\n".join([pair["question"], *pair["options"]]) for pair in some]
        by_words = [index.find(text) or index.find(pair["question"]) for text, pair in zip(texts, some, strict=True)]
        by_meaning = paraphrases.find(texts) if paraphrases else [None] * len(texts)
        for pair, words, meaning in zip(some, by_words, by_meaning, strict=True):
            if found := words or meaning:
                one, question = asked[found[0]]
                yield pair, one, question, found[1], "question" if words else "paraphrase"
