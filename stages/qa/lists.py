"""Whether an instruction runs several things, or several steps, into one another: "add salt pepper and oil stir well".

Where such a list has to be parted is not certain, since one food may be made of another: "beef tomato", "garlic ginger
paste". So it is found, not mended.
"""

from collections.abc import Sequence
from functools import partial

from stages.qa.lexicon import Form, form_of, tokens

# Foods that end the name of a thing, where none of _TAILS follows.
_FOODS = """anchovies avocado bacon basil bean beans beef bread broccoli broth butter cabbage capsicum cardamom carrot
carrots celery cheese chicken chickpeas chili chilies chilli chillies cilantro cinnamon cornstarch cream cucumber
cucumbers cumin eggs extract flour garlic ginger ham herbs honey juice ketchup lamb lettuce mayonnaise meat milk mince
mirin mozzarella mushroom mushrooms mustard noodles oil onion onions oregano paprika parmesan parsley paste pasta peas
pepper peppercorns peppers pork potato potatoes powder radish rice rosemary salt sauce sausage scallions shallot
shallots shrimp spinach starch stock sugar tabasco thyme tofu tomato tomatoes tuna turmeric vinegar walnut water wine
yeast yogurt yoghurt yolks zucchini"""
# What a food before it is a part or a kind of.
_TAILS = """ball balls batter belly bits blend bone bones bowl breast breasts broth bulb bun buns burger burgers cake
cakes casserole chop chops chowder chunks clove cloves container cooker crumbs crust cube cubes curry cutlets dices
dip dish dough dressing fillet fillets filets filling flakes floret florets flour fillings glaze grass gravy gun
halves head heads juice ketchup knife leaf leaves leg legs loin marinade masala mash mixture noodles oil omelette
packet pan pancake paper parts paste patties patty peel peeler piece pieces pizza plate pods pot pouch powder press
pulp puree rack rib ribs rice rind ring rings roll rolls root roots salad salsa sandwich sandwiches sauce seasoning
seed seeds shank shells sheets shoots skewers skin skins slice slices slicer soup spice spread sprouts stalk stalks
starch steak stem stems stew fat floss loaf stick sticks stock strip strips syrup tart tail tails tenders tenderloin
tenderloins thigh thighs topping tray vinegar water wash wedge wedges whites wine wing wings wonton wontons wrapper
wrappers yolk yolks zest soda mixer crackers chips wheel container bag box can jar bottle glass cup top bottom side
sides base"""
_PAIR_WORDS = """beef:bourguignon bread:maker butter:beans butter:lettuce cabbage:kimchi celery:salt cheese:grater
chili:beans cream:cheese cream:cheeses garlic:butter garlic:ginger garlic:salt ginger:garlic milk:chocolate
mozzarella:cheese mozzarella:cheeses onion:salt parmesan:cheese pepper:jack potato:masher potato:ricer rice:flour
rice:krispies shrimp:tempura sugar:snap tomato:ketchup tuna:steak water:chestnut water:chestnuts water:ski"""
# A tail, but no name of one thing.
_APART = frozenset((("milk", "water"), ("egg", "oil")))
_PAIRS = frozenset(tuple(pair.split(":")) for pair in _PAIR_WORDS.split())
_SMALL_WORDS = """about after again all along and another are around as aside at away back be before being both but by
can cover covered down each few for from half he her his if in inside into is it its itself just let lid like lightly
more near next of off on once one onto or out outside over own per she so some still than that the their them then
they this through to together too towards under until till up using very was well when where whether which while who
will with within without you your & + along across among against above below beside between beneath"""
# "Two cups flour"; what follows is what is measured.
_MEASURES = """cup cups tbsp tbsps tbls tsp tsps teaspoon teaspoons tablespoon tablespoons gram grams pound pounds
ounce ounces bits pinch dash spoon spoons slices pieces cloves kinds types minutes mins times inches seconds
degrees"""
# Verbs of instructions that are hardly ever nouns, and those that are where no object follows.
_STEPS = """add bake boil combine discard drain garnish grate grind knead let marinate pour put remove rinse serve
shred simmer soak sprinkle squeeze stir toss transfer"""
_STEPS_WITH_OBJECT = """blend break chop cook cover cut dice dip dry fill flip fold fry heat keep knead mash mince mix
move open peel place pound press process repeat roll season set slice smash spread stack steam strain take top turn
use wash whisk wrap"""
_OBJECT_WORDS = "it them the a an some both each everything all 1 2 3 finely well with"
_OBJECTS = frozenset(_OBJECT_WORDS.split())
# After a food they begin another one: "tabasco the mayonnaise", "an onion some peas".
_ANEW = frozenset(("the", "a", "an", "some"))
_BEFORE_STEP = """, ; : ( & and then to or before after while until by when if not also will can may as of the a an
some this that your his her their its for in on with into from more quick let you they we it's than"""
_OPENINGS = frozenset(("in", "into", "on", "onto", "over", "with", "to", "for", "then", "now", "once", "when"))
# After a word of how something is to be, another step may begin: "heat till smoky spread the meat".
_STATES = frozenset(("brown", "crispy", "golden", "smoky", "smooth", "soft", "tender", "translucent", "warm"))
_JOINS = frozenset(("and", "then", "to", "or", ","))
_WAYS_TO_FRY = frozenset(("air", "deep", "pan", "shallow", "stir"))

_FOOD, _TAIL, _SMALL, _MEASURE, _STEP, _STEP_WITH_OBJECT, _CONTEXT = (
    frozenset(words.split())
    for words in (_FOODS, _TAILS, _SMALL_WORDS, _MEASURES, _STEPS, _STEPS_WITH_OBJECT, _BEFORE_STEP)
)
# Those that are no nouns of what a food may be before them ("batter mix", "garlic press").
_STEPS_WITHOUT = frozenset(("chop", "cover", "dice", "knead", "mince", "peel", "whisk"))


def is_run_together(text: str) -> bool:
    """Returns whether things or steps of an instruction follow one another without a comma or an "and"."""
    words = tokens(text)
    is_subjectless = bool(words) and (words[0] in _OPENINGS or words[0][0].isdigit() or words[0].endswith("ly"))
    if not words or not (is_subjectless or words[0] == "saute" or form_of(words[0]) & Form.BASE):
        return False
    return any(map(partial(_begins_thing, words), range(1, len(words)))) or any(
        map(partial(_begins_step, words), range(2, len(words)))
    )


def _begins_thing(words: Sequence[str], at: int) -> bool:
    """Whether a word begins another thing than the food before it."""
    before, word = words[at - 1], words[at]
    if form_of(before) & Form.BASE and (at == 1 or words[at - 2] in _JOINS):  # "chop onions", "and salt the water"
        return False
    # What is no known food may be a kind of the one before, but for lists: "chicken peanuts and sauce".
    is_other = word in _FOOD or word in _ANEW or word[0].isdigit() or (before, word) in _APART
    return _are_two(before, word, words[at + 1 : at + 2]) and (is_other or "and" in words[at + 1 : at + 8])


def _are_two(word: str, after: str, then: Sequence[str]) -> bool:
    """Whether a food ends and another thing begins."""
    if (word, after) in _APART:
        return True
    if word in _TAIL and word not in _MEASURE and word not in _FOOD:
        return after in _FOOD and after not in _TAIL
    if word not in _FOOD or after in _TAIL or (word, after) in _PAIRS:
        return False
    if after in _FOOD or after in _ANEW or after[0].isdigit() or after in ("baking", "cooking"):
        return True
    if after.endswith("ly"):  # "carrots finely chopped chilies"
        return bool(then) and bool(form_of(then[0]) & Form.PAST)
    if after in _SMALL or not after[0].isalnum():
        return False
    form = form_of(after)
    is_past = bool(form & Form.PAST) and not form & Form.NOUN
    if is_past or (form & Form.ADJECTIVE and not form & Form.NOUN):  # "onion chopped in", "salt minced garlic"
        return bool(then) and then[0] not in _SMALL and bool(form_of(then[0]) & Form.NOUN)
    return not form or bool(form & Form.NOUN and not form & (Form.THIRD | Form.ADVERB))


def _begins_step(words: Sequence[str], at: int) -> bool:
    """Whether a word is the verb of a further instruction that nothing joins to the one before."""
    word, before, after = words[at], words[at - 1], words[at + 1 : at + 2]
    if before.endswith("ly"):
        before = words[at - 2]
    if before in _CONTEXT or "let" in words[at - 2 : at] or (word == "fry" and before in _WAYS_TO_FRY):
        return False
    is_modifier = form_of(before) & Form.ADJECTIVE and not form_of(before) & Form.NOUN
    if is_modifier and before not in _STATES and before not in ("off", "out", "away"):
        return False
    if word in _STEP or (word in _STEP_WITH_OBJECT and bool(after) and after[0] in _OBJECTS):
        return True
    # "Add wine and water cover and boil", "add the meat spread out evenly"
    is_first_of_two = word in _STEPS_WITHOUT and after == ["and"] and words[at + 2 : at + 3] != []
    is_chop = word == "chop" and before in ("beef", "lamb", "pork")
    return before in _FOOD and not is_chop and (is_first_of_two or words[at : at + 2] == ["spread", "out"])
