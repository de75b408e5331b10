"""Graph: a network as integers."""
