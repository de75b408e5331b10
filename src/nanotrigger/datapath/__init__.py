"""Datapath: single words and the operations on them, from which ALUTs and Verilog come."""
