"""Verilog: the datapath written down, and its testbench."""
