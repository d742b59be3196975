import platform
import subprocess
import sys

import pytest

from benchmarks._attacks import ATTACKS, attack_all
from workers.sandbox import landlock, seccomp, self_test
from workers.sandbox.lockdown import LAYERS

pytestmark = pytest.mark.slow

UNLOCKED = """
import os, sys
from benchmarks._attacks import ATTACKS, target
name = sys.argv[1]
with target() as hit:
    file = os.open(hit.folder + "/victim", os.O_RDWR)
    ATTACKS[name].run(file, hit)
"""


@pytest.fixture(scope="module")
def outcome():
    return attack_all()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_is_refused(outcome, name):
    if outcome[name] is None:
        pytest.skip(f"this kernel has none of the layers {', '.join(ATTACKS[name].layers)}")
    assert outcome[name]


# What asks for privileges or memory that not every user and machine has, and what is no attack on oneself.
CONDITIONAL = {"bpf", "mount", "unshare", "userfaultfd", "perf_event_open", "setpriority", "io_uring_setup", "keyctl"}
CONDITIONAL |= {"open_by_handle_at", "take more memory than allowed", "use files the caller left open"}
CONDITIONAL |= {"trace the caller"}


@pytest.mark.skipif(sys.platform != "linux", reason="the attacks are on Linux")
@pytest.mark.parametrize("name", sorted(ATTACKS.keys() - CONDITIONAL))
def test_without_the_sandbox_the_attack_succeeds(name):
    done = subprocess.run([sys.executable, "-c", UNLOCKED, name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_layers_that_the_kernel_has_are_in_force():
    found = self_test.layers()
    assert found <= LAYERS.keys()
    assert {"environment", "descriptors", "limits"} <= found
    assert ("landlock" in found) == (landlock.abi() > 0)
    assert ("seccomp" in found) == seccomp.is_supported()
    if sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"):
        assert "no_new_privs" in found
