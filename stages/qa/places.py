"""Where an event happens, when its text ends in that: "... in the forest"."""

import re

# Words of one line may be the same place: they are never each other's wrong option.
_GROUPS = """meadow field grass lawn pasture park garden hill
forest wood woods jungle trees bushes
sky clouds
burrow cave tunnel hole cellar basement
river lake sea ocean brook stream pond pool water beach shore harbour harbor boat ship
street road sidewalk pavement highway crossing city town square bridge car bus taxi truck
kitchen
bedroom bed
bathroom shower bath
room living-room sofa couch hallway corridor hall house stairs balcony terrace
office desk classroom school library meeting
shop store market supermarket mall
restaurant cafe bar pub diner
station train platform subway
airport plane airplane
stage theatre theater cinema studio
gym court stadium arena pitch track
hospital clinic
garage workshop factory warehouse
desert dunes
mountain mountains cliff rocks snow"""
PLACES = {word: number for number, line in enumerate(_GROUPS.split("\n")) for word in line.split()}
_ARTICLE = r"(?:the|a|an|its|his|her|their)"
_SETTING = re.compile(
    rf"^(?P<event>.+?) (?P<setting>(?:in|on|at|through|across|over|under|along|inside|among) {_ARTICLE} "
    rf"(?:[\w-]+ ){{0,2}}(?P<place>{'|'.join(PLACES)}))$"
)


def split_setting(text: str) -> tuple[str, str, int] | None:
    """(what happens, where, the number of the place's kind), None where the text does not end in a known place."""
    match = _SETTING.match(text.rstrip(".\u2026 "))
    return (match["event"], match["setting"], PLACES[match["place"]]) if match else None
