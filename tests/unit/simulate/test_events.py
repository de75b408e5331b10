"""Small generations of every process: filter, acceptance, order and determinism."""

import numpy as np
import pytest

from nanotrigger.simulate.chunks import Chunk
from nanotrigger.simulate.events import PROCESSES, simulate_events

QUICK = 5


@pytest.fixture(autouse=True)
def _generators():
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")


@pytest.mark.slow
@pytest.mark.parametrize("label", PROCESSES)
def test_every_process_gives_events_that_pass_the_filter(label):
    events = simulate_events(Chunk(label, QUICK, seed=1))
    assert events.shape == (QUICK, 19, 4)
    assert (events[:, [1, 5], 0].max(axis=1) > 23).all()
    assert (events[:, 0, 3] == 1).all()
    for rows, kind, eta in ((slice(1, 5), 2, 3.0), (slice(5, 9), 3, 2.4), (slice(9, 19), 4, 4.0)):
        objects = events[:, rows]
        present = objects[..., 0] > 0
        assert (objects[present][:, 3] == kind).all()
        assert (np.abs(objects[present][:, 1]) <= eta).all()
        assert (np.abs(objects[present][:, 2]) <= np.pi).all()
        assert (np.diff(objects[..., 0], axis=1) <= 0).all()
        assert not objects[~present].any()


@pytest.mark.slow
def test_equal_seeds_give_equal_events_and_a_smaller_chunk_is_the_start_of_a_larger_one():
    events = simulate_events(Chunk("w", QUICK, seed=1))
    np.testing.assert_array_equal(simulate_events(Chunk("w", 3, seed=1)), events[:3])
    assert not np.array_equal(simulate_events(Chunk("w", 3, seed=2)), events[:3])
