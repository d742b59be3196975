"""Why rows of annotations are dropped, repaired or only counted: the reasons that reports name.

This is the reference for authors of formats: `tests/stages/annotations/formats/test_documentation.py` holds the code
and docs/annotations.md against it.
"""

DROPPED = {
    "no_text": "the text is empty, or is a label that no file explains",
    "no_time": "start or end cannot be read, and no other file gives them",
    "outside_video": "the event is entirely before or after the video",
    "duplicate": "another event has the same times and text",
    "repeated_line": "a line of rolling captions repeats an earlier line",
    "no_time_or_text": "the lists of times and texts differ in length, or a line cannot be read",
    "bad_line": "a line of JSON lines cannot be read, such as the last one of a download that broke off",
    "other_form": "a record does not have the file's format, or another one has the same key",
    "empty_row": "a row of a table is empty",
    "no_speech": "speech recognition classified the segment as silence",
    "low_score": "a model's prediction has a score below 0.5",
    "loop": "speech recognition repeats a sentence four or more times in a row; the first one is kept",
    "second_pass": "narration of another narrator of Ego4D, who describes the same video",
    "rejected": "the data set marks the annotation as rejected",
    "other_caption": "a less detailed caption of a clip that has several",
    "annotators_disagree": "no two annotators gave the same window",
    "several_videos": "the conversation is about several videos",
    "no_video": "the conversation is about images, or has no visual input",
    "bad_conversation": "the conversation does not have the LLaVA format",
    "doubled_options": "the question has two equal options",
    "answer_not_an_option": "the answer is not among the options",
    "empty_question": "the question is empty",
    "no_answer": "the question has no answer",
    "part_of_video": "the conversation is about a part of the video",
    "other_language": "a translation of the captions, which is not read",
    "not_visible": "the annotation says that the video does not show the event",
    "sound": "the label is of a sound",
    "unread_text": "a record of a list of ids has sentences in fields that are not read",
}
"""By `repair` and by formats."""
REPAIRED = {
    "milliseconds": "times were in milliseconds",
    "reversed": "the end was before the start; they were swapped",
    "cut_to_video": "the event exceeded the start or end of the video",
    "cut_to_next": "the speech overlapped the next line",
    "rolling_words": "words of rolling captions that the previous line had already shown",
}
"""Rows that are kept with a change."""
NOTED = {
    "overlapping": "the event overlaps the previous one",
    "points": "the event has one time instead of a span",
    "no_caption": "a clip has no text: it is a window of its video, but no event",
}
"""Rows that are kept as they are."""
