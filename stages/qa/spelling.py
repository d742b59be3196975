"""Mends the misspellings that annotators make again and again, of which nobody can doubt what is meant.

Rare ones stay: without a list of all words, "whisk" cannot be told from a misspelled "whisky".
"""

import re

# Beginnings of words and what is meant. None but one begins another word.
_TABLE = """
acheiv:achiev appartment:apartment avacado:avocado bannana:banana becuase:because begining:beginning beleiv:believ
bicyle:bicycle boullion:bouillon brocolli:broccoli cieling:ceiling cinammon:cinnamon diffrent:different
differant:different excercis:exercis exersis:exercis flys:flies foward:forward freind:friend garram:garam gaurd:guard
geting:getting heigth:height infront:in-front lenght:length mayonaise:mayonnaise motercycle:motorcycle
mozarella:mozzarella mozzerella:mozzarella occured:occurred parmesean:parmesan peice:piece potatos:potatoes
puting:putting realy:really reciev:receiv refridgerat:refrigerat restaraunt:restaurant runing:running
sandwhich:sandwich scisor:scissor seperat:separat sissor:scissor spagetti:spaghetti stoping:stopping strenght:strength
swiming:swimming tempearture:temperature temprature:temperature thier:their tomatos:tomatoes tumeric:turmeric
untill:until vehical:vehicle vinager:vinegar writting:writing zuchini:zucchini
"""
WORDS = dict(pair.split(":") for pair in _TABLE.split())
# "flysheet" is a word.
_MISSPELLED = re.compile(rf"\b(?:{'|'.join(WORDS)})".replace("flys", r"flys\b"), re.I)


def spelled(text: str) -> str:
    """A text with its common misspellings mended; a capital stays one."""
    return _MISSPELLED.sub(lambda found: _like(found[0], WORDS[found[0].lower()].replace("-", " ")), text)


def _like(word: str, right: str) -> str:
    return right[:1].upper() + right[1:] if word[:1].isupper() else right
