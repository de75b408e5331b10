"""oneAPI: hls4ml's project for Intel's FPGA compiler, and its emulation with g++."""
