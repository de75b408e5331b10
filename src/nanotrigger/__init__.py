"""Nanotrigger: tiny quantized networks for nanosecond triggers, from PyTorch to verified FPGA firmware."""
