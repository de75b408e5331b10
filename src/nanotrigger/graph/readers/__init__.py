"""Readers: what makes nodes of an integer graph of ONNX nodes."""
