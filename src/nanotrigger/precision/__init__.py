"""Precision: bits that are trained until a network costs what it may."""
