"""Broken sentences among captions."""

import pytest

from stages.qa.broken import is_broken


@pytest.mark.parametrize(
    "text",
    [
        "The vlogger is gets on and off the subway",
        "A person eats a sandwich they walk out of the bathroom",
        "A person walks into a room opens a box",
        "A person upon awakening",
        "A young women sits on a bed",
        "A person slice the sides of a pomegranate",
        "People is in a cubicle",
        "The bull lunges and the man get caught on its horn",
        "The man demonstrating the knife, he cuts bread",
        "Only one of the men are dancing",
        "A woman holds a blanket/pillow",
        "Wind blows at a sunny day",
        "She stops and continue to talk",
        "A person closes the door back",
        "A person puts the clothes",
        "A man turns it around the picks up something",
        "The girl looks at it before decided to drink",
        "Travel blogger shoot a story on a mountain",
        "Pass the basketball into the hole at the first time",
        "Add eggs yolk to the batter",
        "When they start laughing at something another person said",
        "Mix the eggs and continues to stir",
        "A person carries it outside/ the person opens it",
        "Tourist girls arrived at a beach and enjoying drinks",
        "Man wearing sunglasses in interviewed next to a van",
        "The glass is full and we see person",
        "Fix it with a crimping pliers",
        "A man throws it someone else",
        "Pour in some batter in to cook",
        "Add some cheese and keeps whisking it",
        "Carry pair of shoes to the door",
        "A series still shot pictures begins to play",
        "A dark screen appears that include the name of the company",
        "One of the player throws the ball",
        "The man lies down and had a hard time breathing",
    ],
)
def test_broken_sentences_are_found(text):
    assert is_broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "The person puts clothes into a washing machine and closes it",
        "A person holding a pillow throws it on the floor",
        "A man shows off the food he ordered at the restaurant",
        "The person cuts both ends off the cucumber, then slices it",
        "A few people sit down",
        "A person is seen eating a sandwich",
        "A person put groceries in the cabinet",
        "Guy washes a plate and puts cucumbers on it",
        "The glass is full",
        "A couple walk along the beach",
        "She lets the dog run",
        "She stops and continues to talk",
        "A person puts the clothes on the bed",
        "The man closes the door and walks back",
        "Man and woman have a conversation",
        "Cover the pan with the lid",
        "Butter the bread and cut the tomato",
        "The two begin performing a tango",
        "The girls arrived at the beach singing and enjoying drinks",
        "Dip it in baked beans in a bowl",
        "A man is seen with a person",
        "A pair of pliers lies on a sports car",
        "Use a pair of scissors in a few minutes",
        "Pour in some batter and cook it in a pan",
        "Add a pair of eggs and the beer batter list of the cook",
        "A series of photos is shown",
        "Two screens appear that include the name of the company",
        "One of the girl's friends waves",
        "The man sits down, and he had a good time",
    ],
)
def test_right_sentences_are_not_broken(text):
    assert not is_broken(text)
