"""`ray_cluster.yaml` passes Ray's own checks and has the nodes the recipes need."""

from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import fillout_defaults, validate_config

CLUSTER = Path(__file__).resolve().parents[1] / "ray_cluster.yaml"


@pytest.fixture
def cluster():
    return yaml.safe_load(CLUSTER.read_text())


def test_rays_schema_check_passes(cluster):
    validate_config(fillout_defaults(cluster))


def test_rays_schema_check_would_fail(cluster):
    cluster["available_node_types"]["cpu"]["min_workers"] = "many"
    with pytest.raises(Exception, match="many"):
        validate_config(fillout_defaults(cluster))


def test_head_cpu_and_gpu_nodes(cluster):
    assert set(cluster["available_node_types"]) == {"head", "cpu", "gpu"}
    assert cluster["head_node_type"] == "head"


def test_a_build_finds_a_node_for_each_step(cluster):
    assert all(
        node.get("min_workers", 0) >= 1 for name, node in cluster["available_node_types"].items() if name != "head"
    )


def test_nobody_gets_in_without_a_token(cluster):
    starts = [c for when in ("head", "worker") for c in cluster[f"{when}_start_ray_commands"] if "ray start" in c]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token ray start" in command for command in starts)
    assert "~/.ray/auth_token" in cluster["file_mounts"]
    assert any("chmod 600 ~/.ray/auth_token" in command for command in cluster["setup_commands"])
