"""The text side of a tower: each text by itself, whatever stands beside it."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.towers.tower import Tower
from schemas.config import TowerConfig
from tests.tiny_towers import save_siglip, save_vit
from workers.towers.query_embedder import BATCH_TEXTS, QueryEmbedder, load_tower


@pytest.fixture(scope="module", params=[save_vit, save_siglip], ids=["vit", "siglip"])
def config(request, tmp_path_factory):
    return TowerConfig(model=request.param(tmp_path_factory.mktemp("tower")))


def test_embeddings_are_those_of_the_tower(config):
    texts = ["a dog runs", "", "who enters first?"]
    ours = QueryEmbedder(config)(texts)
    expected = Tower(config.model).embed_texts(texts).numpy()
    assert ours.dtype == np.float16 and ours.shape == expected.shape
    assert np.abs(ours - expected).max() < 1e-3
    assert np.abs(np.linalg.norm(ours.astype(np.float32), axis=1) - 1).max() < 2e-3


@given(others=st.lists(st.text(max_size=60), max_size=BATCH_TEXTS + 4), place=st.integers(0, 40))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_does_not_depend_on_its_neighbours(config, others, place):
    embed = QueryEmbedder(config)
    texts = [*others[:place], "a red ball bounces", *others[place:]]
    assert np.array_equal(embed(texts)[texts.index("a red ball bounces")], embed(["a red ball bounces"])[0])


def test_no_texts_give_no_rows_of_the_right_width(config):
    assert QueryEmbedder(config)([]).shape == (0, load_tower(config).embed_dim)


def test_a_tower_is_loaded_once_a_process(config):
    assert load_tower(config) is load_tower(TowerConfig(**config.model_dump()))
