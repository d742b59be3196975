"""What can be said of the demo world, and asked: captions of events and scenes, and many ways to ask for them.

`sentence` gives the text of an event as the manifest holds it. `Claim` pairs a text with what a frame must show for it
to be true, which is what the tiny CLIP learns from: a batch holds several frames that one text is true of.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.demo.world import Act, Thing

# action -> (third person, base form, participle)
VERBS = {
    "bounce": ("bounces", "bounce", "bouncing"),
    "blink": ("blinks", "blink", "blinking"),
    "spin": ("spins", "spin", "spinning"),
    "grow": ("grows", "grow", "growing"),
    "shake": ("shakes", "shake", "shaking"),
    "enter_left": ("enters from the left", "enter from the left", "entering from the left"),
    "enter_right": ("enters from the right", "enter from the right", "entering from the right"),
    "leave_left": ("leaves to the left", "leave to the left", "leaving to the left"),
    "leave_right": ("leaves to the right", "leave to the right", "leaving to the right"),
    "slide_left": ("slides to the left", "slide to the left", "sliding to the left"),
    "slide_right": ("slides to the right", "slide to the right", "sliding to the right"),
}
# {s} sentence, {base} subject with base form ("the red circle bounce"), {ing} subject with participle.
QUESTIONS = (
    "When does {base}?",
    "When can we see {ing}?",
    "At what time does {base}?",
    'When does the following happen: "{s}"?',
    'At what time does "{s}" happen?',
    "At what time does '{s}' happen?",
    'In which part of the video does this happen: "{s}"?',
    "During which part of the video does {base}?",
    "During which seconds of the video does {base}?",
    "In which time span can it be seen that {s}?",
    'Give the start and end of the event "{s}".',
    "Find the moment when {s}.",
    "Locate the part of the video where {s}.",
    "How many times does {base}?",
    'How many times does the following happen: "{s}"?',
    'How often can this be seen in the video: "{s}"?',
    "Count how often {s} in the video.",
    "What happens right after {s}?",
    "What happens right before {s}?",
    'What happens next after "{s}"?',
    'What is the first thing that happens after "{s}"?',
    "What is shown just before {s}?",
    "In which scene does {base}?",
    "Where does {base}?",
    'What does the video show at the moment of "{s}"?',
    "Describe what happens when {s}.",
    "Does {base} in this video?",
)
SCENE_QUESTIONS = (
    "When is {s} shown?",
    'When does the following scene appear: "{s}"?',
    "At what time does the scene of {s} begin?",
    "During which part of the video do we see {s}?",
    'In which part of the video is the scene "{s}"?',
    "What happens in {s}?",
    "What takes place in the scene of {s}?",
    "Which scene comes right after {s}?",
    'Which scene comes before "{s}"?',
    "Describe the scene of {s}.",
    "How many events happen in {s}?",
)
PAIR_QUESTIONS = (
    'Which happens first: "{a}" or "{b}"?',
    "Which of these happens first: {a}, or {b}?",
    "Does it happen before or after {a} that {b}?",
    'What happens between "{a}" and "{b}"?',
    'Is "{a}" before or after "{b}"?',
    "How long after {a} is it that {b}?",
)
# Words of questions that say nothing of the frame: strewn about in training, so that unseen phrasings hurt little.
_FILLER_WORDS = """
when where what which how who why does do did is are was were can could please tell me us give find locate name
list state identify describe explain count answer choose select the a an of in on at to for from by with during
while before after until since right just first last next then following previous exact moment time times
timestamp second seconds minute minutes start end begin ends begins stop happen happens happening occurs occur
occurring take takes place taking event events video clip footage film recording part span interval segment
section frame frames this that these those it its there seen see show shows shown showing visible appear appears
appearing look watch carefully according based question many much often long total number exactly approximately
about only once twice again and or both either whole entire
"""
_FILLERS = _FILLER_WORDS.split()

Key = tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """Holds a text and when it is true of a frame: where the frame shows all keys of one of the alternatives."""

    text: str
    alternatives: tuple[frozenset[Key], ...]

    def holds(self, shown: Iterable[Key]) -> bool:
        """Returns whether the text is true of a frame with these keys."""
        shown = frozenset(shown)
        return any(alternative <= shown for alternative in self.alternatives)


def sentence(act: Act) -> str:
    """Returns the event as a third-person sentence: "the red circle bounces"."""
    if act.thing is None:
        return f"a card says {act.word}"
    return f"the {act.thing.name} {VERBS[act.action][0]}"


def captions(act: Act) -> list[str]:
    """Returns ways to say that it happens."""
    if act.thing is None:
        return [
            sentence(act),
            f"a card that says {act.word}",
            f"a card that says {act.word} appears",
            f"a card with the word {act.word} is shown",
            f"a text card reads {act.word}",
        ]
    name, (_, _, ing) = act.thing.name, VERBS[act.action]
    return [sentence(act), f"a {name} {ing}", f"the {name} is {ing}", f"a {name} {VERBS[act.action][0]}"]


def questions(act: Act) -> list[str]:
    """Returns ways to ask for the event: its time, its count, what comes before and after."""
    if act.thing is None:
        forms = {"s": sentence(act), "base": f"a card say {act.word}", "ing": f"a card saying {act.word}"}
    else:
        subject = f"the {act.thing.name}"
        _, base, ing = VERBS[act.action]
        forms = {"s": sentence(act), "base": f"{subject} {base}", "ing": f"{subject} {ing}"}
    return [question.format(**forms) for question in QUESTIONS]


def scene_questions(scene: str) -> list[str]:
    """Returns ways to ask for a scene."""
    return [question.format(s=scene) for question in SCENE_QUESTIONS]


def act_key(act: Act) -> Key:
    """Returns the key of frames that show an act."""
    if act.thing is None:
        return ("card", act.word or "")
    return ("act", act.action, act.thing.colour, act.thing.shape)


def thing_key(thing: Thing) -> Key:
    """Returns the key of frames that show a thing."""
    return ("thing", thing.colour, thing.shape)


def scene_key(scene: str) -> Key:
    """Returns the key of frames in a scene."""
    return ("scene", scene)


def claim_act(act: Act, rng: random.Random) -> Claim:
    """Returns a caption or question that asks for `act`."""
    text = rng.choice(questions(act) if rng.random() < 0.6 else captions(act))
    return Claim(_strew(text, rng), (frozenset([act_key(act)]),))


def claim_pair(act: Act, other: Act, rng: random.Random) -> Claim:
    """Returns a question for two acts, true of frames of either."""
    text = rng.choice(PAIR_QUESTIONS).format(a=sentence(act), b=sentence(other))
    return Claim(text, (frozenset([act_key(act)]), frozenset([act_key(other)])))


def claim_in_scene(act: Act, scene: str, rng: random.Random) -> Claim:
    """Returns a claim of an act together with the scene it happens in."""
    return Claim(f"{rng.choice(captions(act))} in {scene}", (frozenset([act_key(act), scene_key(scene)]),))


def claim_scene(scene: str, rng: random.Random) -> Claim:
    """Returns a caption or question about a scene."""
    text = rng.choice([scene, f"the scene of {scene}", *scene_questions(scene)])
    return Claim(_strew(text, rng), (frozenset([scene_key(scene)]),))


def claim_thing(thing: Thing, rng: random.Random) -> Claim:
    """Claims that a thing can be seen, whatever it does."""
    forms = ("a {}", "the {}", "When is the {} visible?", "there is a {}", "Is there a {} in the video?")
    return Claim(_strew(rng.choice(forms).format(thing.name), rng), (frozenset([thing_key(thing)]),))


def _strew(text: str, rng: random.Random) -> str:
    """Half of the texts get filler words before and after, so the tower learns which words count."""
    if rng.random() < 0.5:
        return text
    before = rng.choices(_FILLERS, k=rng.randint(0, 6))
    after = rng.choices(_FILLERS, k=rng.randint(0, 6))
    return " ".join([*before, text, *after])
