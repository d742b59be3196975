"""What the demo world is made of: coloured things, what they can do, scenes, words on cards."""

from dataclasses import dataclass

COLOURS = {
    "red": (222, 32, 38),
    "orange": (248, 136, 12),
    "yellow": (250, 226, 40),
    "green": (36, 168, 60),
    "blue": (34, 84, 228),
    "purple": (150, 50, 190),
    "white": (250, 250, 250),
    "black": (22, 22, 26),
}
SHAPES = ("circle", "square", "triangle", "star", "heart", "cross", "ring")
SCENES = (
    "a beach at dusk",
    "a red brick room",
    "a snowy mountain",
    "a pine forest",
    "a desert at noon",
    "a city at night",
    "a wheat field",
    "an underwater reef",
    "a library full of books",
    "a tiled kitchen",
    "a starry sky over hills",
    "a rainy street",
)
WORDS = (
    *(
        "HARBOR",
        "LANTERN",
        "COPPER",
        "VIOLIN",
        "MAPLE",
        "ROCKET",
        "WINTER",
        "PEPPER",
        "CASTLE",
        "SIGNAL",
        "MARBLE",
        "FALCON",
    ),
    *(
        "BUTTON",
        "CANYON",
        "MIRROR",
        "TUNNEL",
        "ORCHID",
        "ANCHOR",
        "BRIDGE",
        "CANDLE",
        "DRAGON",
        "ENGINE",
        "FEATHER",
        "GARDEN",
    ),
    *(
        "HAMMER",
        "ISLAND",
        "JACKET",
        "KETTLE",
        "LADDER",
        "MAGNET",
        "NEEDLE",
        "OCEAN",
        "PALACE",
        "QUARTZ",
        "RIBBON",
        "SADDLE",
    ),
)
# Where a thing may stand, as a share of the frame's width, and the waiting place beyond either edge.
SLOTS = (0.22, 0.5, 0.78)
LEFT_EDGE, RIGHT_EDGE = -0.02, 1.02
# What a thing can do where it stands.
DEEDS = ("bounce", "blink", "spin", "grow", "shake")
MOVES = ("enter_left", "enter_right", "leave_left", "leave_right", "slide_left", "slide_right")


@dataclass(frozen=True)
class Thing:
    """Is a coloured shape, known by its name."""

    colour: str
    shape: str

    @property
    def name(self) -> str:
        """Returns colour and shape, as texts name it."""
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Act:
    """Tells what happens: a thing's action (of DEEDS or MOVES), or `card` with the word it shows."""

    action: str
    thing: Thing | None = None
    word: str | None = None


def all_things() -> list[Thing]:
    """Returns all combinations of colour and shape."""
    return [Thing(colour, shape) for colour in COLOURS for shape in SHAPES]
