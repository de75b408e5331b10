"""The datapath of the structural count as Verilog."""
