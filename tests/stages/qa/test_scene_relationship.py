"""Scenes, places and stretches of talk."""

from stages.qa import scene_relationship as scenes
from stages.qa.config import WritingConfig
from stages.qa.video import make_video
from tests.stages.qa.worlds import EIGHT, annotated, video

NAMES = ["a sunny yard", "a dark cellar", "an empty road", "a snowy mountain"]
SCENES = [(20 * i, 20 * i + 20, name, "scene") for i, name in enumerate(NAMES)]
SHOWN = [name[:1].upper() + name[1:] for name in NAMES]
WORLD = video(*EIGHT, *SCENES)
TEXT = {f"e{i}": text for i, (_, _, text) in enumerate(EIGHT)}


def of_event(draft):
    return next(int(event[1:]) for event in draft.event_ids if event in TEXT)


def test_the_scene_of_an_event():
    drafts = list(scenes.scene_of_event(WORLD))
    assert len(drafts) == 8
    for draft in drafts:
        assert draft.question.startswith("In which scene do")
        assert draft.answer == SHOWN[of_event(draft) // 2]
        assert set(draft.wrong) == set(SHOWN) - {draft.answer}


def test_the_event_in_a_scene():
    drafts = list(scenes.event_in_scene(WORLD))
    assert len(drafts) == 8
    for draft in drafts:
        scene = next(i for i, name in enumerate(NAMES) if name in draft.question)
        inside = {text[:1].upper() + text[1:] for s, _, text in EIGHT if s // 20 == scene}
        assert draft.answer in inside
        assert not set(draft.wrong) & inside


def test_the_next_scene_and_the_one_before():
    drafts = [d for seed in range(6) for d in scenes.next_scene(video(*EIGHT, *SCENES, seed=seed))]
    assert drafts
    for draft in drafts:
        asked = next(i for i, name in enumerate(NAMES) if name in draft.question)
        assert draft.answer == SHOWN[asked + (1 if " after " in draft.question else -1)]


def test_a_scene_that_comes_again_is_not_asked_for():
    again = video(*EIGHT, *SCENES, (80, 100, "a sunny yard", "scene"))
    for template in (scenes.next_scene, scenes.event_in_scene, scenes.event_beside_scene):
        assert not any("a sunny yard" in draft.question for draft in template(again))


def test_the_first_or_last_scene():
    for seed in range(6):
        [draft] = scenes.first_or_last_scene(video(*SCENES, seed=seed))
        assert draft.answer == (SHOWN[0] if "first" in draft.question else SHOWN[-1])


def test_an_event_across_two_scenes_has_none():
    assert list(scenes.scene_of_event(video((15, 25, "a dog barks loudly"), *SCENES))) == []


def test_where_an_event_takes_place():
    seen = video(
        (0, 5, "a dog barks in the kitchen"),
        (10, 15, "two boys swim in a lake"),
        (20, 25, "the old man sleeps in the garden"),
        (30, 35, "a horse gallops across the field"),
        (40, 45, "the cook waits in the office"),
    )
    drafts = {d.question: d for d in scenes.setting(seen)}
    dog = drafts["Where does a dog bark?"]
    assert dog.answer == "In the kitchen"
    garden = drafts["Where does the old man sleep?"]
    # A field and a garden may be the same place.
    assert set(garden.wrong) == {"In the kitchen", "In a lake", "In the office"}


def test_talk_of_the_real_film(videos):
    rows, duration = annotated(videos, "agent327")
    seen = make_video("v", duration, rows, WritingConfig())
    stretch = {f'"{line.text}"': i for i, lines in enumerate(seen.conversations) for line in lines}
    same = list(scenes.same_conversation(seen))
    assert len(same) >= 3
    for draft in same:
        asked = draft.question.removeprefix("Which line is part of the same conversation as ").removesuffix("?")
        assert stretch[draft.answer] == stretch[asked]
        assert all(stretch[wrong] != stretch[asked] for wrong in draft.wrong)
    for draft in scenes.after_silence(seen):
        assert "annotation_dependent" in draft.flags
        asked = draft.question.split(" no one speaks")[0].removeprefix("After ")
        assert stretch[draft.answer] == stretch[asked] + 1
