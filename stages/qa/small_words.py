"""Small words of English and their roles, for rules about sentences."""

_FINITE_WORDS = """is are was were am isn't aren't wasn't weren't has have had hasn't haven't does do did doesn't
don't didn't can cannot can't could may might must shall should will won't would it's there's he's she's that's
they're we're"""
FINITE = frozenset(_FINITE_WORDS.split())
_ARTICLE_WORDS = """a an the both all some his her their its my our your this that these those another each every one
two three four"""
ARTICLES = frozenset(_ARTICLE_WORDS.split())
# After a verb in "-s" that may be a plural: "a man stands in ...", "lights of the city".
_AFTER_VERB_WORDS = """a an the his her their its it them him into onto up down off out over away back around along
across through toward towards past himself herself themselves together apart forward backward upon something someone
by at to"""
AFTER_VERB = frozenset(_AFTER_VERB_WORDS.split())
_PREPOSITION_WORDS = """of in on with for from at by into onto to under over near beside behind between against
through along across around above below inside outside without within during like as after before while when until"""
PREPOSITIONS = frozenset(_PREPOSITION_WORDS.split())
_JOIN_WORDS = """and or but then who whom whose that which what where when while as because if so before after until
since though although than how why whether also not to , ; : ( )"""
JOINS = frozenset(_JOIN_WORDS.split())
_PERSON_WORDS = """person man woman boy girl lady guy kid child baby toddler teenager player chef cook blogger vlogger
couple driver dancer singer coach dog cat"""
PERSONS = frozenset(_PERSON_WORDS.split())
PRONOUNS = frozenset(("he", "she", "they", "it", "we", "i", "you"))
