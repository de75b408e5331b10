"""Reports of Intel's and Altera's FPGA compilers, read from a oneAPI project."""

from nanotrigger.cost.sources.oneapi.project import read_project

__all__ = ["read_project"]
