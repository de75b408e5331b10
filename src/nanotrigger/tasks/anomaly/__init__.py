"""Anomaly detection: collisions that do not look like the usual ones."""
