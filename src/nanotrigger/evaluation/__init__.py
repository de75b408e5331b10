"""Evaluation: arrays in, numbers (`classification`, `detection`, `roc`) or a Figure (`figures`) out; no torch."""
