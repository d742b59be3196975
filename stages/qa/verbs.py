"""The verbs that captions use, and their regular forms: enough English to turn "smells" into "does ... smell"."""

_BASES = """
accelerate accept add adjust admire adopt aim announce answer appear applaud apply approach arrange arrive
ascend ask assemble attach attack attempt awake bake balance bark bathe beat become beg begin bend bite blink
block blow boil bounce bow break breathe bring brush build bump burn burst bury button buy call capture carry
carve cast catch celebrate change chase chat check cheer chew choose chop circle clap clean clear climb close
coat collapse collect color colour comb combine come compare complete connect consist consume contain continue
cook cool count cover crack crash crawl create cross crouch crush cry cuddle cut dance darken decide decorate
deliver demonstrate descend describe die dig dip direct disappear discover discuss display dive divide dodge
drag draw dress drift drink drip drive drop dry duck eat embrace emerge empty end enjoy enter erase escape
examine exchange exercise exit expand explain explode explore extend fade fall fasten feed feel fight fill film
find finish fire fish fit fix flap flash flee flicker flip float flow flutter fly focus fold follow freeze frown
fry gallop gather gaze get giggle give glance glide glow glue go grab greet grill grin grind grip grow guard
guide halt hammer hand hang happen harvest head heat help hide hit hold hop hover hug hunt hurry include inspect
install introduce iron jog join jump keep kick kiss kneel knit knock know land laugh launch lay lead lean leap
learn leave let lick lie lift light line listen load lock look lose lower make march mark marry measure meet
melt mix mount move mow nap need nod notice observe offer open operate order overtake pack paddle paint park
pass pat pause pay pedal peek peel peer pelt perform pet pick pin place plant play plug point polish pop pose
pounce pound pour practice practise pray prepare present press pretend print prove pull pump punch push put race
rain raise reach read realise realize receive record reflect relax release remain remove repair repeat replace
rescue rest return reveal reverse ride ring rinse rip rise roar roast rob rock roll rotate row rub run rush sail
salute save saw say scan scare scatter scoop scrape scratch scream scrub seal search season see seem select sell
send separate serve set sew shake share sharpen shave shine shiver shoot shop shout shovel show shower shrink
shuffle shut sing sink sip sit skate sketch ski skip slam slap sleep slice slide slip slow smash smell smile
smoke snap sneak sneeze sniff snore snow soak solve sort speak spill spin splash split spray spread sprinkle
squat squeeze stack stagger stand stare start startle stay steal steam step stick stir stop strain stretch
strike stroke stroll struggle study stumble succeed surf surround survey sweep swim swing switch tackle take
talk tap tape taste teach tear tease tell test thank think throw tickle tie tighten tilt tip touch tow train
transform transport travel tremble trim trip trot trust try tuck tumble turn twirl twist type unfold unload
unlock unpack unroll unwrap use vanish view visit wade wait wake walk wander want warm wash watch water wave
wear weave weigh whisk whisper whistle win wink wipe wonder work wrap wrestle wring write yawn yell zoom chat
crouch nibble gnaw bury perch hatch graze peck soar hum strum juggle cartwheel somersault skid swerve merge park
"""
BASES = frozenset(_BASES.split()) | {"be", "have", "do"}

_IRREGULAR_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_IRREGULAR_PAST = """become became begin begun bend bent bite bitten blow blown break broken bring brought build
built burn burnt buy bought catch caught choose chosen come came cut cut dig dug draw drawn drink drunk drive
driven eat eaten fall fallen feed fed feel felt fight fought find found flee fled fly flown freeze frozen get
got give given go gone grind ground grow grown hang hung hide hidden hit hit hold held keep kept kneel knelt
know known lay laid lead led leave left lie lain light lit lose lost make made meet met pay paid put put read
read ride ridden ring rung rise risen run run say said see seen sell sold send sent set set sew sewn shake
shaken shine shone shoot shot show shown shrink shrunk shut shut sing sung sink sunk sit sat sleep slept slide
slid speak spoken spin spun split split spread spread stand stood steal stolen stick stuck strike struck swim
swum swing swung take taken teach taught tear torn tell told think thought throw thrown wake woken wear worn
weave woven win won wring wrung write written"""
# Two syllables or more whose last consonant doubles, and one-syllable words that look so and don't.
_DOUBLING = frozenset({"begin", "transmit", "admit", "commit", "prefer", "refer", "occur", "forget", "unplug", "unpin"})
_VOWELS = "aeiou"


def third_person(base: str) -> str:
    """walk -> walks, carry -> carries, be -> is."""
    if base in _IRREGULAR_THIRD:
        return _IRREGULAR_THIRD[base]
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    if base.endswith("y") and base[-2] not in _VOWELS:
        return base[:-1] + "ies"
    return base + "s"


def gerund(base: str) -> str:
    """walk -> walking, glide -> gliding, run -> running, lie -> lying."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and base != "be":
        return base[:-1] + "ing"
    return _doubled(base) + "ing"


def past(base: str) -> str:
    """walk -> walked, stop -> stopped, carry -> carried; the regular form."""
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in _VOWELS:
        return base[:-1] + "ied"
    return _doubled(base) + "ed"


def _doubled(base: str) -> str:
    syllables = sum(a not in _VOWELS and b in _VOWELS + "y" for a, b in zip(" " + base, base, strict=False))
    short = len(base) >= 3 and base[-1] not in _VOWELS + "wxyh" and base[-2] in _VOWELS and base[-3] not in _VOWELS
    return base + base[-1] if (short and syllables == 1) or base in _DOUBLING else base


THIRD = {third_person(base): base for base in BASES}
GERUND = {gerund(base): base for base in BASES}
_PAST_WORDS = _IRREGULAR_PAST.split()
PAST = {past(base): base for base in BASES} | dict(zip(_PAST_WORDS[1::2], _PAST_WORDS[::2], strict=True))
# Forms that are plural nouns as often as verbs: taken for a verb only where no noun can stand.
NOUN_LIKE = frozenset(
    third_person(base)
    for base in BASES
    & {
        *(
            "leave",
            "fly",
            "play",
            "work",
            "walk",
            "run",
            "look",
            "light",
            "rock",
            "train",
            "shop",
            "plant",
            "park",
            "step",
        ),
        *(
            "cast",
            "race",
            "ring",
            "wave",
            "drop",
            "fall",
            "turn",
            "fish",
            "duck",
            "pet",
            "pin",
            "saw",
            "iron",
            "hammer",
        ),
        *("hand", "head", "line", "mark", "bow", "button", "coat", "film", "fire", "grill", "press", "record", "row"),
        *("season", "shower", "ski", "slice", "slide", "step", "tape", "test", "tie", "trip", "water", "view", "color"),
        *(
            "colour",
            "cover",
            "circle",
            "block",
            "cut",
            "plug",
            "point",
            "print",
            "punch",
            "pump",
            "brush",
            "end",
            "cook",
        ),
        *("paddle", "pedal", "place", "chat", "check", "change", "smile", "survey", "switch", "swing", "shot", "type"),
    }
)
