import pytest

from stages.qa.language import language_of


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["a man sings a song"], "en"),
        (["Ein Mann steht auf der Straße und wartet auf den Bus, der heute nicht kommt."], "de"),
        (["一个男人在街上等公共汽车。"] * 3, "zh"),
        (["homme sur un vélo"], "fr"),
        (["jump"], ""),
        (["12:30", "..."], ""),
        ([], ""),
    ],
    ids=["small words", "German", "Chinese", "short French", "one word", "no words", "nothing"],
)
def test_the_language_of_most_texts(texts, language):
    assert language_of(texts) == language


def test_texts_of_english_words_alone_are_english_without_the_detector(monkeypatch):
    import langdetect

    def detect_langs(text):
        raise AssertionError(text)

    monkeypatch.setattr(langdetect, "detect_langs", detect_langs)
    texts = ["rabbits nibble carrots", "squirrels throw acorns", "butterflies land", "birds sing loudly"]
    assert language_of(texts) == "en"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("El hombre camina por la casa y luego come una manzana sobre la mesa con su hermano", "es"),
        ("Een man loopt over straat met een hond en hij eet een appel voor de deur van het huis", "nl"),
        ("Un uomo cammina per la strada con un cane e mangia una mela davanti alla porta di casa", "it"),
        ("Um homem caminha pela rua com um cachorro e come uma banana em frente da porta", "pt"),
    ],
)
def test_other_languages_without_accents_are_told_apart(text, language):
    assert language_of([text]) == language
