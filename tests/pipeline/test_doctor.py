"""What `longvid doctor` says of this machine is so."""

import platform

from pipeline.doctor import examine
from tests.pipeline.command_line import run
from workers.sandbox.lockdown import LAYERS
from workers.sandbox.self_test import layers


def test_each_layer_is_told_as_it_is(capsys):
    assert run("doctor") == 0
    said = capsys.readouterr().out
    there = layers()
    for layer in LAYERS:
        [line] = [line for line in said.splitlines() if line.startswith(f"sandbox: {layer} ")]
        assert line.split()[2] == ("yes" if layer in there else "no")
    assert platform.machine() in said


def test_each_absence_says_what_it_means():
    assert all(len(finding.what) > 10 for finding in examine() if finding.found is False)
