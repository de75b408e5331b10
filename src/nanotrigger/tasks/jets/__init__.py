"""Jet tagging: which of five particles a jet comes from."""
