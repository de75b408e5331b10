"""Nanotrigger: tiny quantized networks for nanosecond triggers, from PyTorch to verified FPGA firmware."""

import warnings

# Brevitas remarks on import that a package is missing which none of our quantizers uses.
warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")
