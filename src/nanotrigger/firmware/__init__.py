"""Firmware: from a trained network to C++ for an FPGA, proven to compute the same."""
