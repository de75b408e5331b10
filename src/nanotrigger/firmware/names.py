"""Names of nodes: each only once, and such as C++ can have."""

import re


def unique_name(name: str, taken: set[str]) -> str:
    """Return a name that is not taken yet, with a number if need be, and take it.

    >>> taken = {"relu"}
    >>> unique_name("relu", taken), unique_name("relu", taken)
    ('relu_2', 'relu_3')
    """
    number, unique = 1, name
    while unique in taken:
        number, unique = number + 1, f"{name}_{number + 1}"
    taken.add(unique)
    return unique


def cpp_name(name: str, taken: set[str]) -> str:
    """Return the same of a name that C++ can have.

    >>> cpp_name("block_1.relu", set()), cpp_name("/0", set())
    ('block_1_relu', 'node__0')
    """
    plain = re.sub(r"\W", "_", name)
    return unique_name(plain if re.match(r"[A-Za-z]", plain) else f"node_{plain}", taken)
