"""Names of types, such as `fixed<16,6,RND_CONV,SAT>`: a format, how values are rounded to it, and what overflow does.

The words are those of ac_fixed. `precision=` is written in them, and a back end's record states the types of its
firmware in them. Modes that are left out are TRN, which truncates, and WRAP.
"""

import re

from nanotrigger.numbers.fixed_point import FixedPoint


def type_name(number: FixedPoint) -> str:
    """Return the name of the type that computes what `number.quantize` does; binary values are in their carrier.

    >>> type_name(FixedPoint(4, 2, narrow=True))
    'fixed<4,2,RND_CONV,SAT_SYM>'
    """
    kind = number.carrier
    return f"{str(kind)[:-1]},RND_CONV,{'SAT_SYM' if kind.narrow else 'SAT'}>"


def without_modes(name: str) -> str:
    """Return the name of a type without rounding and overflow.

    >>> without_modes("fixed<16,6,RND_CONV,SAT>")
    'fixed<16,6>'
    """
    return re.sub(r"(,[A-Z_]+)+>", ">", name)


def modes(name: str) -> tuple[str, ...]:
    """Return the modes that the name of a type states, rounding first.

    >>> modes("fixed<16,6,RND_CONV,SAT>"), modes("fixed<16,6>")
    (('RND_CONV', 'SAT'), ())
    """
    return tuple(re.findall(r",([A-Z_]+)", name))
