"""Data: tables of events, splits, standardization, batches, downloads and the shipped samples."""
