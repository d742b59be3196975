"""Questions of benchmarks among those of a corpus: by runs of words and, with a sentence encoder, in other words."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from pipeline.decontamination.contents import Known
from pipeline.inputs.recipe import Recipe
from schemas.rows import Row
from stages.qa.audit.overlap import QuestionIndex
from stages.qa.audit.same_question import ParaphraseIndex
from workers.towers.text_encoder import CLIP, encoder_folder, load_encoder

_PAIRS = 256  # of the corpus, whose questions are embedded at once


def text_model(recipe: Recipe | None, say: Callable[[str], None]) -> str:
    """Returns the folder of the sentence encoder that a recipe names.

    Where it names none, or one that is not on this machine, that is reported by `say`, and the result is empty.
    """
    named = "" if recipe is None else recipe.write_qa.text_model
    why = "there is no recipe that names a sentence encoder" if recipe is None else f"write_qa.text_model = {named!r}"
    try:
        if named not in ("", CLIP):
            return encoder_folder(named)
    except ValueError as error:
        why = f"write_qa.{error}"
    how = f"{'--recipe NAME ' if recipe is None else ''}--set write_qa.text_model=FOLDER"
    say(f"questions in other words were not searched for: {why}; give a sentence encoder by {how}")
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
        texts = ["\n".join([pair["question"], *(option or "" for option in pair["options"])]) for pair in some]
        by_words = [index.find(text) or index.find(pair["question"]) for text, pair in zip(texts, some, strict=True)]
        by_meaning = paraphrases.find(texts) if paraphrases else [None] * len(texts)
        for pair, words, meaning in zip(some, by_words, by_meaning, strict=True):
            if found := words or meaning:
                one, question = asked[found[0]]
                yield pair, one, question, found[1], "question" if words else "paraphrase"
