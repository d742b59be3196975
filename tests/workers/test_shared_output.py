import io
import os
import select
import socket
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.shared_output import HALF_BYTES, SharedReader, SharedWriter, map_shared, shared_file

SIZES = st.one_of(st.integers(1, 300), st.integers(HALF_BYTES - 3, HALF_BYTES + 3), st.just(3 * HALF_BYTES + 7))


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    file = shared_file()
    with ours, theirs:
        yield (ours, map_shared(file)), (theirs, map_shared(file))
    os.close(file)


def reader(end) -> io.BufferedReader:
    return io.BufferedReader(SharedReader(*end, lambda: select.select([end[0]], [], [])), HALF_BYTES)


@given(writes=st.lists(SIZES, max_size=8), reads=st.lists(SIZES, min_size=1, max_size=4))
def test_what_is_written_is_read(writes, reads):
    sent = [bytes([number % 251]) * size for number, size in enumerate(writes)]
    file = shared_file()
    ours, theirs = socket.socketpair()

    def write() -> None:
        with theirs, io.BufferedWriter(SharedWriter(theirs, map_shared(file)), HALF_BYTES) as output:
            for number, data in enumerate(sent):
                output.write(data)
                if number % 2:
                    output.flush()

    thread = threading.Thread(target=write)
    thread.start()
    received, output = [], reader((ours, map_shared(file)))
    while data := output.read(reads[len(received) % len(reads)]):
        received.append(data)
    thread.join()
    ours.close()
    os.close(file)
    assert b"".join(received) == b"".join(sent)


def test_a_length_beyond_its_half_gives_a_half(ends):
    (ours, memory), (theirs, their_memory) = ends
    their_memory[:4] = b"\xff" * 4
    theirs.send(b"\x01")  # also out of turn
    their_memory[HALF_BYTES + 4 : HALF_BYTES + 8] = b"\xff" * 4
    theirs.shutdown(socket.SHUT_WR)
    assert len(reader((ours, memory)).read()) == HALF_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux seals memory")
def test_a_child_cannot_take_the_memory_away():
    file = shared_file()
    with pytest.raises(PermissionError):
        os.truncate(file, 0)
    os.close(file)


def test_a_child_that_takes_no_answer_does_not_hold_the_parent(ends):
    (ours, memory), (theirs, their_memory) = ends
    SharedWriter(theirs, their_memory).write(b"x")
    output, count = reader((ours, memory)), 1
    assert output.read(1) == b"x"
    for _ in range(2000):  # more answers than a socket holds
        theirs.send(b"\x00")
        count += len(output.read(1))
    assert count == 2001


def test_a_child_whose_parent_is_gone_is_told(ends):
    (ours, _), (theirs, their_memory) = ends
    ours.close()
    with pytest.raises(BrokenPipeError):
        SharedWriter(theirs, their_memory).write(b"x")
