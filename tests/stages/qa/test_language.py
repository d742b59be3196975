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
