"""Simulated events, for where the public data cannot be fetched: `python -m nanotrigger.simulate --help`."""
