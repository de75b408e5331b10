"""Back ends: what turns a network into a vendor's project."""
