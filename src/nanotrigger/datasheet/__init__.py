"""Datasheet: one page that an FPGA engineer can be handed."""
