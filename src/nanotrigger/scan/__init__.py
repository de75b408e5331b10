"""Scans: many networks, each trained, exported and costed once, whatever is interrupted."""
