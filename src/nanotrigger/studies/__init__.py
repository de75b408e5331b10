"""Studies: what many runs show together, and what a finished export amounts to for people who have not made it."""
