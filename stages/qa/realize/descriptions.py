"""The wordings that ask for a description of a video, or of a part of one."""

DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "summary": (
        "What happens in this video, from beginning to end?",
        "Describe the whole video in the order in which things happen.",
        "Say what happens in the whole video, in order.",
        "Tell step by step what this video shows.",
    ),
    "caption": (
        "What does this video show?",
        "What happens in this video?",
        "Describe this video briefly.",
        "Give a short description of this video.",
        "What can be seen in this video?",
    ),
    "title": (
        "Give this video a short caption.",
        "Write a short caption for this video.",
        "Say in a few words what this video shows.",
        "What would be a short caption for this video?",
    ),
    "summary_of_scene": (
        "Which {scene}s does the video have, in order?",
        "List the {scene}s of the whole video in order.",
    ),
    "brief_of_scene": (
        "What are the main {scene}s of this video, in order?",
        "Name a few {scene}s that give an outline of the video, in order.",
    ),
    "brief": (
        "What are the main events of this video, in order?",
        "Summarise the video in a few steps.",
        "Give a short outline of the video.",
        "Which few events sum up this video?",
    ),
    "main_events": (
        "Describe what mainly happens in this video, in order.",
        "List the main events of this video in order.",
        "Which events does the video mainly show? List them in order.",
        "What mainly happens in this video, from beginning to end?",
    ),
    "part": (
        "What mainly happens between {start} and {end}, in order?",
        "List in order the main events from {start} to {end}.",
        "Describe in order what mainly happens in the part of the video from {start} to {end}.",
    ),
    "in_window": (
        "What happens in this video?",
        "Which of these events happens in this video?",
        "Which of the following can be seen in this video?",
        "Which of these descriptions fits this video?",
    ),
    "timed_part": (
        "What mainly happens between {start} and {end}, and about when?",
        "List the main events from {start} to {end}, with approximate times.",
        "Describe what mainly happens from {start} to {end}, and give the approximate times of each event.",
    ),
}
