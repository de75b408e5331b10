"""Damage valid input, at random and in ways that parsers dislike."""

import random

_NUMBERS = (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x00" * 8, b"\x80")
_WORDS = (
    b"-1", b"0", b"1e999", b"nan", b"99999999999999999999", b"null", b"{", b"[", b"]", b"'", b'"', b"&a *a", b"..",
    b"!!python/object/apply:os.system", b"\n", b"\t", b"=", b",", b":", b"<", b"\xc3\x28", b"\xe2\x80\xae", b"%s", b"~",
)  # fmt: skip


def mutate(seed: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return the seed with one to eight changes.

    Args:
        seed: valid input.
        others: more of its kind, of which pieces are taken.
        chance: decides.
    """
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        start = chance.randrange(len(data) + 1)
        stop = min(start + chance.choice((1, 2, 4, 8, 64, 4096)), len(data))
        kind = chance.randrange(8)
        if kind == 0 and start < len(data):
            data[start] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[start:stop] = chance.randbytes(stop - start)
        elif kind == 2:
            del data[start:stop]
        elif kind == 3:
            data[start:start] = data[start:stop] * chance.choice((1, 2, 50))
        elif kind == 4:
            number = chance.choice(_NUMBERS)
            data[start : start + len(number)] = number
        elif kind == 5:
            data[start:start] = chance.choice(_WORDS)
        elif kind == 6:
            other = chance.choice(others)
            place = chance.randrange(len(other) + 1)
            data[start:stop] = other[place : place + chance.choice((1, 8, 64, 4096))]
        else:
            del data[start:]
    return bytes(data)
