"""The wordings of each form of question. {a}, {b}: the asked events, quoted; {does}: the first, as a question has it.

A wording with {does} is used only where `clause.inverted` is certain; all others are grammatical whatever the events'
texts look like, since they quote them.
"""

from stages.qa.realize.descriptions import DESCRIPTIONS

WORDINGS: dict[str, tuple[str, ...]] = {
    "when": (
        "When does the following happen: {a}?",
        "At what time in the video does this happen: {a}?",
        "When in the video is the following shown: {a}?",
        "When can the following be seen in the video: {a}?",
        "At what time in the video can this be seen: {a}?",
        "When {does}?",
        "At what time {does}?",
    ),
    "when_of_scene": (
        "When does the following {scene} take place: {a}?",
        "At what time in the video does the {scene} {a} take place?",
        "When in the video is the following {scene} shown: {a}?",
    ),
    "said_when": (
        "When is the following said: {a}?",
        "At what time in the video are these words spoken: {a}?",
        "When in the video does someone say {a}?",
    ),
    "what_at": (
        "What happens between {start} and {end}?",
        "Which of these events takes place from {start} to {end}?",
        "Which of the following can be seen from {start} to {end}?",
        "Which of these events is shown between {start} and {end}?",
    ),
    "occurrence": (
        "When does the following happen for the {nth} time: {a}?",
        "The following happens more than once: {a}. When does it happen for the {nth} time?",
        "At what time in the video does this happen for the {nth} time: {a}?",
        "When {does} for the {nth} time?",
    ),
    "last_occurrence": (
        "When does the following happen for the last time: {a}?",
        "The following happens more than once: {a}. When does it happen for the last time?",
        "At what time in the video does this happen for the last time: {a}?",
    ),
    "next": (
        "What is the next thing to happen after the following event: {a}?",
        "Which event is the next one to happen after {a}?",
        "Which event comes directly after {a}?",
    ),
    "previous": (
        "Which event comes directly before the following one: {a}?",
        "What is the last thing to happen before the following event: {a}?",
        "Which event immediately precedes {a}?",
    ),
    "next_of_these": (
        "Which of these events comes next after {a}?",
        "Of these events, which one is the first to happen after {a}?",
        "Which of these events is the next one after the following event: {a}?",
        "Among these events, which one comes first after {a}?",
    ),
    "previous_of_these": (
        "Which of these events is the last one before {a}?",
        "Of these events, which one is the last to happen before {a}?",
        "Which of these events is the last to take place before the following one: {a}?",
        "Among these events, which one most closely precedes {a}?",
    ),
    "further": (
        "Of these events, which one is the {nth} to happen after {a}?",
        "Counting only these events, which one is the {nth} after {a}?",
        "Among these events, which one is the {nth} after the following event: {a}?",
    ),
    "earlier": (
        "Of these events, which one is the {nth} before {a}, counting backwards?",
        "Going backwards in time from {a}, which of these events is the {nth} one?",
        "Counted backwards from {a}, which of these events is the {nth} one?",
    ),
    "said_next": (
        "What is said next after the following line: {a}?",
        "Which of these lines comes directly after {a}?",
    ),
    "said_previous": (
        "What is the last thing said before the following line: {a}?",
        "Which of these lines comes directly before {a}?",
    ),
    "said_further": ("Which line is the {nth} to be spoken after {a}?",),
    "said_earlier": ("Which line is the {nth} one before {a}, counting backwards?",),
    "said_order": (
        "In which order are these lines spoken?",
        "In which of these orders are the lines spoken?",
    ),
    "between": (
        "Which of these happens between the following two events: {a} and {b}?",
        "What happens at some time between {a} and {b}?",
        "Which of these events takes place between {a} and {b}?",
    ),
    "after_before": (
        "Which of these events takes place after {a} and before {b}?",
        "What happens after {a} and before {b}?",
        "Which event comes after {a}, but before {b}?",
    ),
    "cause": (
        "Why does the following happen: {a}?",
        "What is the reason for the following event: {a}?",
        "For what reason does this happen: {a}?",
        "What explains the following event: {a}?",
        "Why {does}?",
    ),
    "order": (
        "In which order do these events happen?",
        "Which of these is the order of these events in the video?",
        "In which order do the following events take place?",
        "Which sequence of these events is the right one?",
    ),
    "first_or_last": (
        "Which of these events happens {side}?",
        "Which of the following comes {side} in the video?",
        "Of these events, which one happens {side}?",
    ),
    "scene_of": (
        "In which {scene} does the following happen: {a}?",
        "Which {scene} does this event belong to: {a}?",
        "In which of these {scene}s does the following happen: {a}?",
        "In which {scene} {does}?",
    ),
    "in_scene": (
        "Which of these events happens in the following {scene}: {a}?",
        "What takes place in this {scene}: {a}?",
        "Which event can be seen in the {scene} {a}?",
    ),
    "next_scene": (
        "Which {scene} comes next after the following {scene}: {a}?",
        "Which {scene} follows directly after {a}?",
    ),
    "previous_scene": (
        "Which {scene} comes last before the following {scene}: {a}?",
        "Which {scene} directly precedes {a}?",
    ),
    "next_scene_of_these": (
        "Which of these {scene}s comes next after the following {scene}: {a}?",
        "Of these {scene}s, which one is the first after {a}?",
    ),
    "previous_scene_of_these": (
        "Which of these {scene}s comes last before the following {scene}: {a}?",
        "Of these {scene}s, which one is the last before {a}?",
    ),
    "further_scene": ("Of these {scene}s, which one is the {nth} after {a}?",),
    "earlier_scene": ("Of these {scene}s, which one is the {nth} before {a}, counting backwards?",),
    "first_or_last_scene": (
        "Which of these {scene}s comes {side} in the video?",
        "Of these {scene}s, which one comes {side}?",
    ),
    "while_said": (
        "What can be seen while someone says {a}?",
        "Which of these events happens while this line is spoken: {a}?",
    ),
    "said_while": (
        "What is said while the following can be seen: {a}?",
        "Which of these lines is spoken during this event: {a}?",
    ),
    "count": (
        "How many times does the following happen: {a}?",
        "How many times does this happen in the video: {a}?",
        "Count the times that this happens in the video: {a}. How many are there?",
        "What is the number of times that the following happens: {a}?",
        "In the whole video, how many times can this be seen: {a}?",
        "How many times {does}?",
        "In the whole video, how many times {does}?",
    ),
    "count_beside": (
        "How many times does the following happen {side} the event {b}: {a}?",
        "Considering only the part of the video {side} {b}, how many times does this happen: {a}?",
        "{Side} the event {b}, how many times can the following be seen: {a}?",
        "How many times does this happen {side} {b}: {a}?",
        "How many times {does} {side} the event {b}?",
    ),
} | DESCRIPTIONS
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
NONE = "None of these"
OTHER_ORDER = "None, since the second of these two events comes before the first"
REPEAT_RULE = "Count it again only if another event, or a pause of at least 10 s, comes in between."
NEVER = "Never: this video does not show it"
HINTS = dict.fromkeys(("when", "said_when", "occurrence", "absent"), "Give the start and the end in seconds.")
POINT_HINT = "Give the time in seconds."
