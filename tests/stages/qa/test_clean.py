"""Captions as people write them, and the sentences that can be quoted."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.qa.clean import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" The man is strumming one drum.", ["The man is strumming one drum"]),
        ("#C C picks the cup", ["The camera wearer picks the cup"]),
        ("#O Man X eats the food", ["Man X eats the food"]),
        ("#Unsure", []),
        ("Saint petersburg, russia - april 15, 2014: people walk at a channel", ["People walk at a channel"]),
        ("Kiev, ukraine 30.07.2015. cars go on the road", ["Cars go on the road"]),
        ("Circa 1950s: a car drives by", ["A car drives by"]),
        ("Video 1920x1080 - palm tree shadow on the beach", ["Palm tree shadow on the beach"]),
        ("4k: a train stops", ["A train stops"]),
        ("Full hd footage - a train stops", ["A train stops"]),
        ("Video shop owner counts money", ["Video shop owner counts money"]),
        ("preheat the oven to 250 degrees", ["Preheat the oven"]),
        ("place in preheated oven to 400 degrees f for 45 minutes", ["Place in preheated oven"]),
        ("cook for 5 minutes covering the lid", ["Cook covering the lid"]),
        ("boil it for 5-6 minutes in low heat", ["Boil it in low heat"]),
        ("bake for about 20 minutes or till it is brown", ["Bake till it is brown"]),
        ("turn by 90 degrees", ["Turn by 90 degrees"]),
        (
            "Aerial uhd 4k view. A river flows through a valley. Direct on sun",
            ["A river flows through a valley", "Direct on sun"],
        ),
        ("Horse grazing - separated on green screen", []),
        ("City traffic lights. Blurred view", ["City traffic lights"]),
        ("A close-up of a hand", ["A close-up of a hand"]),
        ("cars go on the road. road traffic. dolly shot.", ["Cars go on the road", "Road traffic"]),
        ("he browses through it. dolly shot", ["He browses through it"]),
        ("add 2 tbsp. of oil. stir", ["Add 2 tbsp. of oil", "Stir"]),
        ("Continues falling...", ["Continues falling"]),
        ("steam for a couple of minutes", ["Steam"]),
        ("a person takes a book off a shelf,turns.", []),
        ("She waves, laughing", ["She waves, laughing"]),
        ("person put back on the table.", []),
        ("person put on the jacket.", ["A person puts on the jacket"]),
        ("nothing in view", []),
        ("person throw a book down the stairs too.", ["A person throws a book down the stairs"]),
        ("a baby swings it's right arm, it's cold", ["A baby swings its right arm, it's cold"]),
        ("he waits for two men", ["He waits for two men"]),
        ("At 2014 people walk", ["At 2014 people walk"]),
        ("We see the scene go dark and the writing appears", ["We see the scene go dark and the writing appears"]),
        ("person smiling at each other", []),
        ("#C C opens #unsure", []),
        ("Between 00s and 40s, a man runs. Between 40s and 80s, he sits.", ["A man runs", "He sits"]),
        ("It cooks from 0:10 to 0:20", ["It cooks"]),
        ("She waves at 60 seconds", ["She waves"]),
        ("Mr. Bean walks. He falls", ["Mr. Bean walks", "He falls"]),
        ("does the chef stir the soup??", ["Does the chef stir the soup"]),
        ("a girl paints a picture,", ["A girl paints a picture"]),
        ("a CHILD plays IN THE GARDEN", ["A child plays in the garden"]),
        ("He then begins mixing paint.", ["He begins mixing paint"]),
        ("Finally, the dog leaves", ["The dog leaves"]),
        ("We see a man adjusting the camera", ["A man is adjusting the camera"]),
        ("We see a man adjust the camera", ["We see a man adjust the camera"]),
        ("A man stands next to a van", ["A man stands next to a van"]),
        ("Next to a van stands a man", ["Next to a van stands a man"]),
        ("Next, a man waves", ["A man waves"]),
        ("Next,a man waves,and a dog barks", ["A man waves, and a dog barks"]),
        ("At the end of the road stands a house", ["At the end of the road stands a house"]),
        ("In the end a house is shown", ["A house is shown"]),
        ("first time man raises his arms", ["First time man raises his arms"]),
        ("people jump back then forward then shake", ["People jump back then forward then shake"]),
        ("The man then gets up", ["The man gets up"]),
        ("It is warm. The man appears to be happy and ...", ["It is warm"]),
        ("The man waves and", []),
        ("person they open a door", ["A person opens a door"]),
        ("person close the window", ["A person closes the window"]),
        ("person tidy the room", ["A person tidies the room"]),
        ("person undo the knot", ["A person undoes the knot"]),
        ("person do the dishes", ["A person does the dishes"]),
        ("person opens a door and leave", ["A person opens a door and leave"]),
        ("the person is eating", ["The person is eating"]),
        ("person the stand up", []),
        ("Other", []),
        ("slice the the roll", ["Slice the roll"]),
        ("person closes the doors.the person eats", ["A person closes the doors", "The person eats"]),
        ("He looks at example.com for a while", ["He looks at example.com for a while"]),
        ("a girl hangs upside down,she laughs", ["A girl hangs upside down, she laughs"]),
        ("In the video, a man is seen in a room", ["A man is seen in a room"]),
        ("The camera pans around the yard", []),
        ("The cameraman waves", ["The cameraman waves"]),
        ("The camera wearer waves", ["The camera wearer waves"]),
        ("The camera men take pictures", ["The camera men take pictures"]),
        ("Camera faces down to show second chair", []),
        ("The camera then shows a man climbing a wall", ["A man is climbing a wall"]),
        ("People ride down the street while the camera follows them", ["People ride down the street"]),
        ("As the camera pans left, a man waves", ["A man waves"]),
        ("It zooms out and a small girl is standing there", ["A small girl is standing there"]),
        ("It fades to black", []),
        ("It cuts the paper", ["It cuts the paper"]),
        ("He films the dog while the camera crew follows", ["He films the dog while the camera crew follows"]),
        ("We see a black title screen", []),
        ("We see an opening title screen.", []),
        ("The ending credits screen", []),
        ("An intro clip appears and it's an animation", []),
        ("The outro is a spinning wheel with words", []),
        ("The opening scene shows a man who runs", ["The opening scene shows a man who runs"]),
        ("The end credits roll", []),
        ("The end of the rope falls", ["The end of the rope falls"]),
        ("A man ends the scene", ["A man ends the scene"]),
        ("We first see a big blue sign", ["We see a big blue sign"]),
        ("We see are driving down the street", []),
        (
            "Blogger films on top of mountains. young man holds camera",
            ["Blogger films on top of mountains", "Young man holds camera"],
        ),
        ("music playing", []),
        ("[Music]", []),
        ("0:09:59", []),
        ("a orange cat meets a unicorn and a one eyed man", ["An orange cat meets a unicorn and a one eyed man"]),
        ('she says "no"', ["She says 'no'"]),
        ("add salt and pepper", ["Add salt and pepper"]),
        ("Ein Hund bellt. Die Katze schläft.", ["Ein Hund bellt", "Die Katze schläft"]),
        ("一个人在跑步", ["一个人在跑步"]),
    ],
)
def test_what_is_quoted(text, expected):
    assert list(sentences(text)) == expected


def test_numbers_that_are_no_times_stay():
    assert sentences("put 3 eggs in 2 cups of water") == ("Put 3 eggs in 2 cups of water",)
    assert sentences("a man at 5 years old") == ("A man at 5 years old",)


@given(st.text(max_size=200))
@example("\u00b9\u00bc")
@settings(max_examples=300)
def test_any_text_gives_sentences_without_edges_or_quotes(text):
    for sentence in sentences(text):
        assert sentence == sentence.strip()
        assert '"' not in sentence
        assert any(c.isalpha() for c in sentence)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Boil for 4 minutes remove the eggs", "Boil, remove the eggs"),
        ("Simmer for 5 minutes stirring often", "Simmer stirring often"),
        ("Fry for 2 minutes till it is brown", "Fry till it is brown"),
        ("Boil for 4 minutes and remove the eggs", "Boil and remove the eggs"),
        ("Fry the fish for 2 minutes on each side", "Fry the fish on each side"),
    ],
)
def test_a_comma_stays_where_a_duration_parted_two_clauses(text, quoted):
    assert sentences(text) == (quoted,)
