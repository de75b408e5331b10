"""Studies: what a finished export amounts to, for people who have not made it."""
