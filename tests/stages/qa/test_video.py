"""What can be told apart in a video, and what surely comes next."""

from stages.qa.moment import overlap
from stages.qa.video import make_video
from tests.stages.qa.worlds import EIGHT, rows, video


def test_kinds_and_times_are_cut_to_the_video():
    seen = make_video("v", 50.0, rows((40, 90, "a dog runs"), (60, 70, "late"), (1, 2, "Hi", "speech")), video().config)
    assert [(m.start_s, m.end_s, m.kind) for m in seen.moments] == [(1.0, 2.0, "speech"), (40.0, 50.0, "event")]


def test_the_camera_wearer_has_a_name():
    [moment] = video((0, 1, "#C C opens the fridge")).moments
    assert moment.question == "does the camera wearer open the fridge"


def test_repeated_are_the_same_words_apart_in_time():
    seen = video((0, 1, "the dog barks"), (5, 6, "a dog barks"), (20, 21, "the cat sleeps"), (30, 31, "The dog barks."))
    assert [[m.start_s for m in group] for group in seen.repeated] == [[0.0, 5.0, 30.0]]
    assert video((0, 9, "the dog barks"), (5, 6, "the dog barks")).repeated == []
    # The third tells of the dog's barking too: how often it barks is not known.
    assert video((0, 1, "a dog barks"), (5, 6, "a dog barks"), (9, 10, "a dog barks and bites a man")).repeated == []


def test_unique_is_what_nothing_else_could_be_taken_for():
    seen = video(
        (0, 5, "the squirrel glides"), (10, 15, "the squirrel glides over leaves"), (20, 25, "a dog barks loudly")
    )
    assert [seen.unique(m) for m in seen.moments] == [False, False, True]


def test_next_and_previous_are_near_and_alone():
    seen = video(*EIGHT, (71, 75, "a fly buzzes"))
    visual = seen.visual
    assert seen.next(visual[0], visual) is visual[1]
    assert seen.previous(visual[1], visual) is visual[0]
    assert seen.previous(visual[0], visual) is None
    two_at_once = video((0, 1, "a dog barks"), (2, 3, "a cat purrs"), (2, 4, "a cow moos"))
    assert two_at_once.next(two_at_once.visual[0], two_at_once.visual) is None
    going_on = video((0, 4, "a dog barks"), (5, 15, "a cat purrs"), (14, 20, "a cow moos"))
    assert going_on.previous(going_on.visual[2], going_on.visual) is None
    begun = video((0, 10, "a dog barks"), (5, 15, "a cat purrs"), (16, 20, "a cow moos"))
    assert begun.next(begun.visual[0], begun.visual) is None
    far = video((0, 1, "a dog barks"), (50, 51, "a cat purrs"))
    assert far.next(far.visual[0], far.visual) is None


def test_wrong_options_are_other_things_at_other_times():
    seen = video(*EIGHT, (0, 3, "a frog croaks in a pond"), (80, 85, "a dog digs holes"))
    truth = seen.visual[1] if seen.visual[1].text.startswith("the dog") else seen.visual[0]
    wrong = seen.wrong(truth, seen.visual, seen.rng("test"), outside=(10.0, 19.0))
    assert len(wrong) == 3
    assert all(not overlap(m.span, truth.span) and not overlap(m.span, (10.0, 19.0)) for m in wrong)
    assert not any("dig" in m.text for m in wrong)


def test_too_few_wrong_options_are_none():
    seen = video(*EIGHT[:2])
    assert seen.wrong(seen.visual[0], seen.visual, seen.rng("test")) == []


def test_talk_is_parted_by_silence():
    seen = video((0, 1, "a", "speech"), (3, 4, "b", "speech"), (20, 21, "c", "speech"))
    assert [[line.text for line in lines] for lines in seen.conversations] == [["a", "b"], ["c"]]


def test_chance_depends_on_seed_video_and_purpose():
    def first(v, purpose="p"):
        return v.rng(purpose).random()

    assert first(video()) == first(video())
    assert len({first(video()), first(video(seed=1)), first(video(), "q")}) == 3
