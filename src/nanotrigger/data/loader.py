"""Batches that are slices of tensors already on the device: no worker processes, no copies."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from nanotrigger.errors import InputError

_GATHERED = 16  # batches at once


class Block:
    """Shuffled batches; on a CPU another thread gathers the next few from memory while these are used.

    Args:
        tensors: same first dimension.
        rows: of them, in the order of the batches.
        batch_size: rows of a batch.
    """

    def __init__(self, tensors: tuple[Tensor, ...], rows: Tensor, batch_size: int) -> None:
        self.tensors = tensors
        self.rows = rows
        self.batch_size = batch_size

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, begin: int, end: int) -> "Block":
        """Return the block of the batches from `begin` up to `end`."""
        return Block(self.tensors, self.rows[begin * self.batch_size : end * self.batch_size], self.batch_size)

    @property
    def steps(self) -> int:
        """Number of batches."""
        return len(self.rows) // self.batch_size

    @property
    def first(self) -> tuple[Tensor, ...]:
        """The first batch; an iterator that is dropped after it would swallow a Ctrl-C while its thread ends."""
        return self._gathered(self.rows[: self.batch_size])[0]

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        # torch would otherwise use as many threads here as for the training, and all would fight for the cores
        with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as thread:
            parts = self.rows.split(self.batch_size * _GATHERED)
            following = thread.submit(self._gathered, parts[0])
            for part in (*parts[1:], None):
                batches = following.result()
                if part is not None:
                    following = thread.submit(self._gathered, part)
                yield from batches

    def _gathered(self, rows: Tensor) -> list[tuple[Tensor, ...]]:
        parts = (tensor.index_select(0, rows).split(self.batch_size) for tensor in self.tensors)
        return list(zip(*parts, strict=True))


class TensorBatches:
    """Iterate over row-aligned tensors in batches, shuffled and sharded by rank.

    `batch_size` counts the rows of all ranks together, so that the union of what the ranks see in a step
    is what one process would see. Shuffled batches all have that size (the incomplete last one is left
    out; another permutation brings its rows next epoch); batches in order cover every row, in sizes that
    differ by at most one.

    Args:
        tensors: same first dimension, on the device where they are used.
        batch_size: rows per batch over all ranks.
        shuffle: new permutation every epoch, drawn from `seed` and the epoch.
        seed: seed of the permutations.
        rank: this process among `world_size`.
        world_size: number of processes.
        steps_per_block: if above 1, which needs a single process, batches come in blocks of so many; shuffled ones as
            a `Block`.

    Raises:
        InputError: a batch size that the rows or the ranks do not allow.
    """

    def __init__(
        self,
        *tensors: Tensor,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        steps_per_block: int = 1,
    ) -> None:
        rows = len(tensors[0])
        if batch_size < 1:
            raise InputError(f"data.batch_size={batch_size}: must be at least 1")
        if shuffle and batch_size > rows:
            raise InputError(f"data.batch_size={batch_size}: the split has only {rows} rows; lower it")
        if shuffle and batch_size % world_size:
            raise InputError(
                f"data.batch_size={batch_size}: must be a multiple of the {world_size} devices that share it"
            )
        if rows < world_size:
            raise InputError(f"a split of {rows} rows cannot be shared by {world_size} devices")
        self.tensors = tensors
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.steps_per_block = steps_per_block
        self.epoch = 0
        self._thread = None if tensors[0].device.type == "cpu" else ThreadPoolExecutor(1)
        self._next: dict[int, Future[Tensor]] = {}  # permutation that is drawn ahead, by its epoch
        self.sampler, self.batch_sampler = self, None  # where Lightning looks for set_epoch

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; Lightning calls it before every epoch."""
        self.epoch = epoch

    @property
    def steps(self) -> int:
        """Number of batches."""
        rows = len(self.tensors[0])
        if self.shuffle:
            return rows // self.batch_size
        return min(-(-rows // self.batch_size), rows // self.world_size)

    def __len__(self) -> int:
        return -(-self.steps // self.steps_per_block)

    def __iter__(self) -> Iterator[tuple[Tensor, ...] | Block]:
        if not self.shuffle:
            for batch in zip(*(tensor.tensor_split(len(self)) for tensor in self.tensors), strict=True):
                yield tuple(rows.tensor_split(self.world_size)[self.rank] for rows in batch)
            return
        order = self._permutation()[: self.steps * self.batch_size]
        for rows in order.split(self.batch_size * self.steps_per_block):
            if self.steps_per_block > 1:
                yield Block(self.tensors, rows, self.batch_size)
            else:
                own = rows.tensor_split(self.world_size)[self.rank]
                yield tuple(tensor.index_select(0, own) for tensor in self.tensors)

    def _permutation(self) -> Tensor:
        """Return the rows in the order of this epoch, which is the same on every device.

        A GPU would wait for it: another thread draws that of the next epoch meanwhile.
        """
        if self._thread is None:
            return self._drawn(self.epoch)
        order = self._next.pop(self.epoch, None) or self._thread.submit(self._drawn, self.epoch)
        self._next = {self.epoch + 1: self._thread.submit(self._drawn, self.epoch + 1)}
        return order.result().to(self.tensors[0].device)

    def _drawn(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
        return torch.randperm(len(self.tensors[0]), generator=generator)
