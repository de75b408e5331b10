"""Batches: shuffled on the device, sharded by rank, every row where it should be."""

import threading

import pytest
import torch

from nanotrigger.data.loader import Block, TensorBatches
from nanotrigger.errors import InputError

ROWS = torch.arange(1000)


def batches(**options):
    return [tuple(part.tolist() for part in batch) for batch in TensorBatches(ROWS, -ROWS, **options)]


def test_shuffled_batches_are_full_and_disjoint():
    seen = batches(batch_size=128, shuffle=True)
    assert len(seen) == len(TensorBatches(ROWS, batch_size=128, shuffle=True)) == 7
    rows = [row for batch, _ in seen for row in batch]
    assert len(set(rows)) == len(rows) == 7 * 128
    assert all(other == [-row for row in batch] for batch, other in seen)


def test_epochs_and_seeds_differ_and_repeat():
    def order(seed, epoch):
        loader = TensorBatches(ROWS, batch_size=1000, shuffle=True, seed=seed)
        loader.set_epoch(epoch)
        return next(iter(loader))[0].tolist()

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(*pair)) for pair in [(1, 0), (1, 1), (2, 0), (2, 1)]}) == 4


def test_in_order_batches_cover_every_row():
    seen = batches(batch_size=128)
    assert [row for batch, _ in seen for row in batch] == ROWS.tolist()
    assert {len(batch) for batch, _ in seen} == {125}


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_the_batches_of_one_process(shuffle, world_size):
    options = {"batch_size": 120, "shuffle": shuffle, "seed": 5}
    alone = batches(**options)
    ranks = [batches(**options, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert {len(rank) for rank in ranks} == {len(alone)}
    for step, (whole, _) in enumerate(alone):
        assert sorted(row for rank in ranks for row in rank[step][0]) == sorted(whole)


def test_no_rank_is_left_without_rows():
    rows = torch.arange(7)
    sizes = [
        [len(batch) for (batch,) in TensorBatches(rows, batch_size=2, rank=rank, world_size=3)] for rank in range(3)
    ]
    assert all(size > 0 for rank in sizes for size in rank)
    assert sum(map(sum, sizes)) == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "data.batch_size=0: must be at least 1"),
        ({"batch_size": 1001, "shuffle": True}, "data.batch_size=1001: the split has only 1000 rows"),
        ({"batch_size": 100, "shuffle": True, "world_size": 3}, "must be a multiple of the 3 devices"),
        ({"batch_size": 9, "world_size": 1001}, "1000 rows cannot be shared by 1001 devices"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(InputError, match=message):
        TensorBatches(ROWS, **options)


def test_the_first_batch_of_a_block_starts_no_thread():
    rows = torch.randperm(100)
    block = Block((torch.arange(100), torch.arange(200).reshape(100, 2)), rows, 32)
    threads = threading.active_count()
    first = block.first
    assert threading.active_count() == threads
    assert all(map(torch.equal, first, next(iter(block))))


def test_parts_of_a_block_are_its_batches():
    block = Block((torch.arange(100),), torch.randperm(96), 32)
    parts = [batch for begin, end in ((0, 1), (1, 3)) for batch in block.part(begin, end)]
    assert block.steps == 3
    assert all(torch.equal(one, other) for (one,), (other,) in zip(block, parts, strict=True))
