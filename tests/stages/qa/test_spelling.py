"""Misspellings in captions."""

import pytest

from stages.qa.clean import sentences
from stages.qa.faults import fault_of_line
from stages.qa.spelling import WORDS, misspelled, spelled


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Seperate the tomatos and add tumeric", "Separate the tomatoes and add turmeric"),
        ("A man cuts it into small peices infront of a freind", "A man cuts it into small pieces in front of a friend"),
        ("Refridgerated seperately", "Refrigerated separately"),
        ("A bird flys by", "A bird flies by"),
        ("A hand comes in to view", "A hand comes into view"),
        ("A boy moves back and fourth", "A boy moves back and forth"),
        ("Put all the vegetable into the bowl", "Put all the vegetables into the bowl"),
        ("Add 6 ounce of sugar and 1 1/2 cup of flour", "Add 6 ounces of sugar and 1 1/2 cups of flour"),
        ("Add 2 tbls of the meat balls mixture", "Add 2 tbsp of the meatball mixture"),
        ("Time lapse video of a village in Philippines", "Time-lapse video of a village in the Philippines"),
        ("The man lays down on a bed an it say's 'End'", "The man lies down on a bed and it says 'End'"),
        ("A dog is laying on the sofa", "A dog is lying on the sofa"),
        ("Pour oil and vinegar to a small bowl", "Pour oil and vinegar into a small bowl"),
        ("Marinate vegetable in bowls by hands", "Marinate vegetables in bowls by hand"),
        ("Girls from new Zealand dance", "Girls from New Zealand dance"),
        ("There is flash of light in hallway", "There is a flash of light in a hallway"),
        ("Someones dog sits on bed", "Someone's dog sits on the bed"),
        (
            "Put the meat loaf beside carrots cut to julienne",
            "Put the meatloaf beside carrots cut into julienne strips",
        ),
        ("Put cheese on top the bread", "Put cheese on top of the bread"),
        ("A few woman dance", "A few women dance"),
        ("Dispose a wheel chair", "Dispose of a wheelchair"),
        ("Add kethup to the sandwhich", "Add ketchup to the sandwich"),
        ("A man cuts watermeoln", "A man cuts watermelon"),
        ("A gymast stands by the freind-zone", "A gymnast stands by the friend-zone"),
    ],
)
def test_misspellings_of_which_one_word_can_be_meant_are_mended(text, right):
    assert spelled(text) == right
    assert not misspelled(right)


@pytest.mark.parametrize(
    "text",
    [
        "A flysheet dries",
        "Waste is disposed in the bin, or disposed of",
        "Whisk the eggs, grate the cheese",
        "The real camaraderie of friends at the potato stand",
        "Add garam masala, paneer and gochujang to the udon noodles",
        "Two vloggers in hoodies take selfies at the skatepark",
        "Wipe the countertop, empty the wastebin and make flatbread",
        "The travellers' favourite colour at the theatre centre is a grey aluminium",
        "She doesn't summarise what they're organising in the neighbour's jewellery shop",
        "A man rewraps the bread and does Pilates",
        "Add 2 tbsp of flour, 1 tsp of salt and 3/4 cup of milk",
        "A man lays a towel on the sand, laying it flat",
        "Add vegetable oil by the new stove",
        "There's light on table legs and in hallway lamps",
        "Pour water up to the rim",
        "Mix all the vegetable oil with the sauce as time lapses",
        "A man watches v_abcde.mp4 at www.exampel.org, as @usernaem did",
    ],
)
def test_right_words_stay(text):
    assert spelled(text) == text
    assert misspelled(text) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Brush the circles with egg washa", "washa"),  # wash
        ("Cook until buubles form", "buubles"),  # bubbles, or baubles
        ("A medieval town, essaouira, morocco", "essaouira"),
        ("The Verdalago stands beside Essaouira", ""),  # names
        ("Trun chicken in pan", "Trun"),
    ],
)
def test_words_that_no_list_has_are_found(text, word):
    assert misspelled(spelled(text)) == word


def test_no_right_word_is_mended_again():
    assert all(spelled(right) == right and not misspelled(right) for right in WORDS.values())


def test_captions_are_quoted_as_they_are_meant():
    assert sentences("add the potatos") == ("Add the potatoes",)


def test_other_languages_are_not_touched():
    assert sentences("le freind est avec la puting", is_english=False) == ("Le freind est avec la puting",)


def test_misspelled_speech_is_not_mended_but_left_untold():
    assert fault_of_line("But it didnt happen without you") == "misspelled"
    assert fault_of_line("But it didn't happen without you") == ""
