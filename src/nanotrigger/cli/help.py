"""Help texts whose description keeps its lines."""

from argparse import RawDescriptionHelpFormatter

from jsonargparse import DefaultHelpFormatter


class ExampleHelpFormatter(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """jsonargparse's formatter, for descriptions that hold example commands."""
