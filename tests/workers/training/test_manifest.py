import pytest

from schemas.config import ConfigError
from workers.storage.store import Store
from workers.training.manifest import MANIFEST, check_resumable, checkpoint_folder, last_checkpoint, sign


def test_other_settings_are_named_with_both_values():
    state = {"step": 7, "same": {"seed": 0, "model": {"width": 32, "layers": 2}}}
    check_resumable(state, {"seed": 0, "model": {"width": 32, "layers": 2}})
    check_resumable({"step": 7, "same": {"model": {"thinning": "runs"}}}, {"model": {"subsampling": "clusters"}})
    with pytest.raises(ConfigError, match=r"is at step 7 .*model.width was 32 and is 64; seed was 0 and is 1\."):
        check_resumable(state, {"seed": 1, "model": {"width": 64, "layers": 2}})


def test_a_setting_of_someone_else_cannot_begin_a_line():
    with pytest.raises(ConfigError, match=r"'\\nerror: all' was 1 and is None") as raised:
        check_resumable({"step": 7, "same": {"\nerror: all": 1}}, {})
    assert "\n" not in str(raised.value)


def test_folders_that_are_no_checkpoints_of_the_run_are_left_alone(tmp_path):
    store = Store(tmp_path)
    sign(store, checkpoint_folder("run", 1), {"step": 1, "files": {}}, b"key")
    for folder in ("run/step_x", "run/step_", "run/other/step_000009", "run/step_9/deeper", "run2/step_000009"):
        store.write_json(f"{folder}/{MANIFEST}", {"step": 9, "files": {}})
    assert last_checkpoint(store, "run") == "run/step_000001"


def test_last_is_the_last_that_is_complete(tmp_path):
    store = Store(tmp_path)
    assert last_checkpoint(store, "run") is None
    for step in (900, 1_000_000, 20):
        sign(store, checkpoint_folder("run", step), {"step": step, "files": {}}, b"key")
    sign(store, checkpoint_folder("other", 2_000_000), {"step": 2_000_000, "files": {}}, b"key")
    assert last_checkpoint(store, "run") == "run/step_1000000"
    store.delete(f"run/step_1000000/{MANIFEST}")
    assert last_checkpoint(store, "run") == "run/step_000900"
