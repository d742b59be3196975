"""The realizer `llm`: a model rewords the questions of the templates; what it does not keep the same stays as it was.

The model sees the question and the language, and never the answer or the options, which stay those of the plan.
"""

import hashlib
import json

from schemas.rows import Row
from stages.prompts import prompt, prompt_hash
from stages.qa.realize.rewording import problem
from workers.endpoint.answers import Answer, BadAnswer, Line
from workers.endpoint.client import Endpoint, Request

_LIST = ' (1) "'  # of the form `order`: its list belongs to the options


class Question(Answer):
    """What the model answers."""

    question: Line


def reword(pairs: list[Row], endpoint: Endpoint, model: str, languages: tuple[str, ...]) -> list[Row]:
    """Returns the pairs with reworded questions, where those hold; in the order that they came in.

    Args:
        pairs: rows of the schema QA, with `queries`.
        model: its name, for the provenance.
        languages: that the templates are right for (empty: any); a pair in another one is left out where it could not
            be reworded.

    Raises Reject and BuildStopped as `Endpoint.ask_all`.
    """
    asked = [pair for pair in pairs if pair["form"] != "conversation"]
    found = endpoint.ask_all([_request(pair) for pair in asked])
    new = {id(pair): text for pair, text in zip(asked, found, strict=True) if not isinstance(text, BadAnswer)}
    kept = []
    for pair in pairs:
        if id(pair) in new:
            kept.append(_reworded(pair, new[id(pair)], model))
        elif pair["form"] == "conversation" or not languages or pair["language"] in (*languages, ""):
            kept.append(pair)
    return kept


def _request(pair: Row) -> Request[Question]:
    old = pair["question"].split(_LIST)[0]

    def check(answer: Question) -> str:
        if found := problem(old, answer.question, pair["answer"], pair["language"]):
            raise BadAnswer(f"the new question has {found}")
        return answer.question

    told = {"question": old, "language": pair["language"] or "en", "form": pair["form"]}
    messages = [
        {"role": "system", "content": prompt("rewrite")},
        {"role": "user", "content": json.dumps(told, ensure_ascii=False)},
    ]
    # Kept: a video whose worker was killed gets the same questions again.
    return Request(messages, Question, check, keeps_bad=True)


def _reworded(pair: Row, text: str, model: str) -> Row:
    _, mark, listed = pair["question"].partition(_LIST)
    question = f"{text}{mark}{listed}"
    turns = json.loads(pair["conversations"])
    turns[0]["value"] = turns[0]["value"].replace(pair["question"], question, 1)
    return {
        **pair,
        "qa_id": hashlib.sha256(f"{pair['qa_id']}:{question}".encode()).hexdigest()[:16],
        "question": question,
        "queries": [question if query == pair["question"] else query for query in pair["queries"]],
        "conversations": json.dumps(turns, ensure_ascii=False),
        "provenance": f"model:{model}",
        "realizer": "llm",
        "models": list(dict.fromkeys([*pair["models"], model])),
        "prompts": [*pair["prompts"], f"rewrite:{prompt_hash('rewrite')}"],
    }
