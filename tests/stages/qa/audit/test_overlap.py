from stages.qa.audit.overlap import QuestionIndex

KNOWN = [
    "What does the old man in the red coat do after he opens the wooden door of the shed?\na\nb",
    "Who falls into the lake?\nthe dog\nthe cat",
]


def test_the_same_question_in_other_marks_is_found():
    assert QuestionIndex(KNOWN).find("who falls into the lake - the dog, the cat") == (1, 1.0)


def test_a_part_of_a_long_question_is_found_with_its_share():
    asked = "What does the old man in the red coat do after he opens the wooden door of the house?"
    number, share = QuestionIndex(KNOWN).find(asked)
    assert number == 0 and 0.7 <= share < 1


def test_few_common_words_are_no_find():
    assert QuestionIndex(KNOWN).find("What does the old man in the blue hat say?") is None
    assert QuestionIndex([]).find(KNOWN[0]) is None
    assert QuestionIndex(KNOWN).find("") is None
