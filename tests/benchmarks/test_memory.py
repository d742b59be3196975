import subprocess
import sys

import pytest

PROGRAM = "from benchmarks._memory import own_peak_mb; print(own_peak_mb())"


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from Linux' /proc")
def test_the_peak_of_a_program_is_its_own_and_not_that_of_the_parent():
    held = bytearray(600 << 20)  # what `ru_maxrss` of the program would tell
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert 5 < float(said.stdout) < len(held) / 2**21
