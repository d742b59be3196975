"""Training batches: each text is true of its frame, and the hard cases are in."""

import random

import numpy as np

from pipeline.demo.render import Moment
from pipeline.demo.samples import ATTRIBUTES, GROUP, UNSAID, sample_batch, shown_keys
from pipeline.demo.texts import act_key, scene_key, thing_key
from pipeline.demo.world import Act, Thing


def test_each_text_is_true_of_its_own_frame_and_of_few_others():
    batch = sample_batch(4, random.Random(0))
    assert len(batch.images) == len(batch.texts) == 4 * GROUP and batch.truth.shape == (4 * GROUP, 4 * GROUP)
    assert batch.truth.diagonal().all()
    assert batch.truth.mean() < 0.3


def test_labels_name_what_a_frame_shows_and_a_text_says():
    batch = sample_batch(6, random.Random(3))
    shape = (6 * GROUP, len(ATTRIBUTES))
    assert batch.frame_labels.shape == batch.text_labels.shape == shape
    said = batch.text_labels != UNSAID
    assert 0.2 < said.mean() < 0.8
    # A text is true of its frame, so what it says of action, word and scene is what the frame shows.
    assert (batch.text_labels == batch.frame_labels)[said].all()
    for row, text in enumerate(batch.texts):
        for column, values in enumerate(ATTRIBUTES.values()):
            if said[row, column]:
                assert values[batch.text_labels[row, column]].split("_")[0][:3].lower() in text.lower()


def test_the_seed_decides_the_batch():
    one, same, other = (sample_batch(2, random.Random(seed)) for seed in (1, 1, 2))
    assert one.texts == same.texts != other.texts
    assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(one.images, same.images, strict=True))


def test_a_frame_shows_its_scene_its_things_and_its_act():
    actor, bystander = Thing("red", "ring"), Thing("blue", "ring")
    keys = shown_keys(Moment("a wheat field", 0.0, ((bystander, 0.2),), Act("spin", actor)))
    act = act_key(Act("spin", actor))
    assert keys == {scene_key("a wheat field"), thing_key(actor), thing_key(bystander), act}
