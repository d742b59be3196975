"""Capitals for names that captions have in lower case: days, months, countries, peoples, some firms and feasts.

None that is a common word as well: "china", "turkey", "may", "march", "polish".
"""

import calendar
import re

_NAME_WORDS = """afghan afghanistan africa african alaska albania algeria america american antarctica arab arabic
argentina argentine argentinian armenia armenian asia asian athens atlanta australia australian austria austrian
bangkok bangladesh barcelona bavarian beijing belgian belgium berlin bolivia boston brazil brazilian britain british
brooklyn brussels budapest bulgaria bulgarian california cambodia cambodian canada canadian caribbean caucasian celtic
chicago chilean chinese christian christmas colombia colombian colorado croatia croatian cuban czech danish denmark
disney disneyland dominican dublin dutch easter ecuador egypt egyptian england english ethiopia ethiopian europe
european facebook ferris filipino finland finnish florida french fox-news german germany ghana greece greek halloween
hanukkah hawaii hawaiian hindu hollywood hungarian hungary iceland icelandic india indian indonesia indonesian
instagram iran iranian iraq iraqi ireland irish islam islamic israel israeli istanbul italian italy jamaica jamaican
japan japanese jewish kenya kenyan korea korean kyiv latin lebanese lebanon lisbon london los-angeles madrid malaysia
malaysian manhattan mediterranean mexican mexico miami mongolia mongolian moroccan morocco moscow muslim nepal
nepalese netherlands new-york new-zealand nigeria nigerian nordic norway norwegian olympic olympics oscars pakistan
pakistani paris peru peruvian philippines poland portugal portuguese prague roman romania romanian rome russia russian
san-francisco santa-claus scotland scottish seattle serbia serbian singapore slovak slovakia south-africa spain
spaniard spanish swede sweden swedish swiss switzerland sydney syria syrian taiwan taiwanese texas thai thailand
thanksgiving tokyo toronto turkish ukraine ukrainian valentine venezuela venice victorian vienna vietnam vietnamese
viking wales washington welsh worcestershire youtube"""
_LETTER_WORDS = "bbc bbq bmx cctv cnn dj dvd espn nba nfl suv tv usa"
_CAPITALS = {name: name.upper() for name in _LETTER_WORDS.split()}
_CAPITALS |= {"youtube": "YouTube", "tvs": "TVs", "iphone": "iPhone", "ipad": "iPad"}
_LOWER_TOO = frozenset(("may", "march"))
_DAYS = [name.lower() for name in (*calendar.day_name, *calendar.month_name) if name]
_NAMES = {name.replace("-", " "): name.replace("-", " ").title() for name in (*_NAME_WORDS.split(), *_DAYS)}
_NAMES = {name: capital for name, capital in _NAMES.items() if name not in _LOWER_TOO} | _CAPITALS
_NAME = re.compile(rf"(?<![\w'\u2019./@#-])(?:{'|'.join(sorted(_NAMES, key=len, reverse=True))})(?![\w@/-]|\.\w)")


def with_capitals(text: str) -> str:
    """Returns a text whose names of days, places and peoples in lower case begin with a capital."""
    return _NAME.sub(lambda found: _NAMES[found[0]], text)
