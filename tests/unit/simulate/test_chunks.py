"""Splitting work into seeded chunks, and running them in several processes."""

import multiprocessing
from operator import attrgetter

import pytest

from nanotrigger.simulate.generator import Chunk, run, split


def test_chunks_add_up_and_keep_the_order_of_labels():
    chunks = split({"g": 1001, "q": 500, "t": 0}, size=500, seed=1)
    assert [(chunk.label, chunk.size) for chunk in chunks] == [("g", 500), ("g", 500), ("g", 1), ("q", 500)]


def test_seeds_differ_between_chunks_labels_and_runs_and_suit_pythia():
    chunks = [*split({"g": 9, "q": 9}, size=1, seed=0), *split({"g": 9, "q": 9}, size=1, seed=1)]
    seeds = {chunk.seed for chunk in chunks}
    assert len(seeds) == len(chunks)
    assert min(seeds) >= 1
    assert max(seeds) <= 900_000_000


def test_a_larger_sample_starts_with_the_chunks_of_a_smaller_one():
    assert split({"g": 40}, size=10, seed=3)[:2] == split({"g": 20}, size=10, seed=3)


def test_results_come_in_the_order_of_the_chunks():
    chunks = [Chunk(label, 1, 1) for label in "gqtwz"]
    assert run(attrgetter("label"), chunks, processes=2) == list("gqtwz")


def test_an_error_ends_the_workers():
    with pytest.raises(AttributeError):
        run(attrgetter("colour"), [Chunk("g", 1, 1)] * 3, processes=2)
    assert not multiprocessing.active_children()
