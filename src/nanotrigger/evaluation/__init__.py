"""Evaluation: arrays in, numbers (`metrics`, `roc`, `summary`) or a Figure (`figures`) out."""
