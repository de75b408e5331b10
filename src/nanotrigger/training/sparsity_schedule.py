"""Sparsity schedule: the share of zeros that a network shall have at each step of its training."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class SparsitySchedule:
    """The sparsity over the optimizer steps done so far.

    Attributes:
        final: share of zeros that is reached, 0 to 1.
        begin: first step at which weights are pruned.
        end: step at which the polynomial is at `final`, and the last one at which it is decided which weights
            are zero; None for a constant sparsity, decided anew as long as the training lasts.
        initial: of the polynomial, at `begin`.
        power: of the polynomial.
        frequency: steps from one decision to the next.

    >>> rising = SparsitySchedule(final=0.75, begin=100, end=300, frequency=75)
    >>> [rising.sparsity(step) for step in (99, 100, 200, 300, 999)]
    [0.0, 0.0, 0.65625, 0.75, 0.75]
    >>> [step for step in range(1000) if rising.is_due(step)]
    [100, 175, 250, 300]
    >>> constant = SparsitySchedule(final=0.75, begin=100)
    >>> [constant.sparsity(step) for step in (99, 100, 999)]
    [0.0, 0.75, 0.75]
    """

    final: float
    begin: int
    end: int | None = None
    initial: float = 0.0
    power: float = 3.0
    frequency: int = 10

    @property
    def final_step(self) -> int:
        """The step from which on the sparsity is `final`."""
        return self.begin if self.end is None else self.end

    def sparsity(self, step: int) -> float:
        """Return the share of zeros at a step; the polynomial is eq. 1 of Zhu and Gupta, arXiv 1710.01878."""
        if step < self.begin:
            return 0.0
        if step >= self.final_step:
            return self.final
        left = (self.final_step - step) / (self.final_step - self.begin)
        return self.final + (self.initial - self.final) * left**self.power

    def is_due(self, step: int) -> bool:
        """Return whether it is decided anew at this step which weights are zero."""
        if step < self.begin or (self.end is not None and step > self.end):
            return False
        return (step - self.begin) % self.frequency == 0 or step == self.end


def zeros_for(sparsity: float, weights: int) -> int:
    """Return the smallest number of zeros that is at least this share of the weights.

    >>> zeros_for(0.75, 512), zeros_for(0.75, 5), zeros_for(0.07, 100)
    (384, 4, 7)
    """
    return math.ceil(round(sparsity * weights, 9))  # as a float, 0.07 * 100 is a bit more than 7
