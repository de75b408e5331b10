"""Training: how networks learn."""
