"""Command line: key=value on top of Lightning's and jsonargparse's parsers."""
