import pytest

from stages.qa.filming import is_filming, without_camera, without_viewer


@pytest.mark.parametrize("text", ["The camera pans to the left", "The credits roll"])
def test_a_sentence_of_the_camera_or_of_titles_tells_no_event(text):
    assert is_filming(text)


@pytest.mark.parametrize("text", ["A man holds a camera and smiles", "A dog runs over the road"])
def test_an_event_with_a_camera_in_it_is_one(text):
    assert not is_filming(text)
    assert without_viewer(without_camera(text)) == text


def test_the_viewer_is_left_out_before_what_goes_on():
    assert without_viewer("The video shows a dog running") == "a dog running"
    assert without_viewer("We see a man adjust the camera") == "We see a man adjust the camera"
