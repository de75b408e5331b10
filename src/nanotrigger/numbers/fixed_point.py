"""FixedPoint: the one number type of inputs, weights, biases, activations and outputs; and the names of types."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError

if TYPE_CHECKING:
    import torch

WIDEST = 53  # bits; float64 holds every such word exactly


@dataclass(frozen=True)
class FixedPoint:
    """A fixed-point format in the convention of hls4ml and ac_fixed: `integer` counts the sign bit.

    A value is an integer word times `step`; rounding is to nearest, ties to even (RND_CONV), or `down` (TRN), which
    takes fewer gates, and values out of range saturate (SAT, or SAT_SYM with `narrow`).

    One signed bit cannot hold a sign and a zero. As in QKeras, `FixedPoint(1, integer)` is *binary*: the
    two values ±step, zero counting as positive. `carrier` is the format in which firmware stores it.

    Args:
        width: bits in all, 1 to 53.
        integer: bits left of the binary point, the sign bit included; at most `width`, may be negative.
        signed: two's complement if true.
        narrow: leave out the most negative word, so that the range is symmetric; signed only.
        rounding: `nearest`, or `down`, towards minus infinity.

    Raises:
        InputError: a format that cannot exist.

    >>> FixedPoint(4, 2).step
    0.25
    >>> FixedPoint(4, 2).minimum, FixedPoint(4, 2).maximum
    (-2.0, 1.75)
    >>> FixedPoint(4, 2, narrow=True).quantize(np.array([-9.0, 0.125, 0.375, 9.0]))
    array([-1.75,  0.  ,  0.5 ,  1.75])
    >>> str(FixedPoint(8, 0, signed=False))
    'ufixed<8,0>'
    """

    width: int
    integer: int
    signed: bool = True
    narrow: bool = False
    rounding: Literal["nearest", "down"] = "nearest"

    may_be_coarse: ClassVar[bool] = False
    widest: ClassVar[int] = WIDEST

    def __post_init__(self) -> None:
        if not 1 <= self.width <= self.widest:
            raise InputError(f"{self}: the width must be 1 to {self.widest} bits")
        if self.integer > self.width and not self.may_be_coarse:
            raise InputError(f"{self}: integer bits must be at most the width")
        if self.integer < -WIDEST:
            raise InputError(f"{self}: integer bits must be at least -{WIDEST}")
        if self.narrow and not self.signed:
            raise InputError(f"{self}: only a signed format can be narrow; set narrow to false")
        if self.rounding not in ("nearest", "down"):
            raise InputError(f"{self}: rounding {self.rounding}; choose nearest or down")
        if self.rounds_down and self.is_binary:
            raise InputError(f"{self}: a sign is not rounded; set rounding to nearest")

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}fixed<{self.width},{self.integer}>"

    @classmethod
    def from_qkeras(
        cls, bits: int, integer: int, symmetric: bool = False, *, keep_negative: bool = True
    ) -> "FixedPoint":
        """Convert QKeras' `quantized_bits(bits, integer, symmetric, keep_negative, alpha=1)`.

        QKeras does not count the sign bit among the integer bits. With `keep_negative=False` the result
        is also that of `quantized_relu(bits, integer)`. One signed bit is ±1 whatever `integer` says.

        >>> FixedPoint.from_qkeras(4, 1, symmetric=True)
        FixedPoint(width=4, integer=2, signed=True, narrow=True, rounding='nearest')
        >>> FixedPoint.from_qkeras(8, 0, keep_negative=False)
        FixedPoint(width=8, integer=0, signed=False, narrow=False, rounding='nearest')
        """
        if not keep_negative:
            return cls(bits, integer, signed=False)
        if bits == 1:
            return cls(1, 1)
        return cls(bits, integer + 1, narrow=symmetric)

    @classmethod
    def parse(cls, text: str) -> "FixedPoint":
        """Read `fixed<16,6>` or `ufixed<8,0>`, as hls4ml and ac_fixed write them.

        Rounding and overflow may follow as `type_name` writes them; a format has no others.

        Raises:
            InputError: `text` is neither.

        >>> FixedPoint.parse("ufixed<8,0>")
        FixedPoint(width=8, integer=0, signed=False, narrow=False, rounding='nearest')
        >>> FixedPoint.parse("fixed<4,2,RND_CONV,SAT_SYM>").narrow, FixedPoint.parse("ufixed<8,0,TRN,SAT>").rounding
        (True, 'down')
        """
        numbers = r"(u?)fixed<\s*(\d{1,4})\s*,\s*(-?\d{1,4})\s*"
        match = re.fullmatch(rf"{numbers}(?:,\s*(RND_CONV|TRN)\s*,\s*(SAT|SAT_SYM)\s*)?>", text.strip())
        if match is None:
            remedy = "write it like fixed<16,6> or ufixed<8,0>"
            if re.match(rf"{numbers},\s*[A-Z]", text.strip()):
                remedy += "; it rounds by RND_CONV or TRN and saturates by SAT or SAT_SYM"
            raise InputError(f"{text}: no format; {remedy}")
        rounding: Literal["nearest", "down"] = "down" if match[4] == "TRN" else "nearest"
        return cls(int(match[2]), int(match[3]), not match[1], narrow=match[5] == "SAT_SYM", rounding=rounding)

    @property
    def step(self) -> float:
        """Distance between neighbouring values: 2^-(width - integer)."""
        return math.ldexp(1.0, self.integer - self.width)

    @property
    def rounds_down(self) -> bool:
        """Whether values are rounded towards minus infinity."""
        return self.rounding == "down"

    @property
    def is_binary(self) -> bool:
        """Whether the only values are ±step."""
        return self.signed and self.width == 1

    @property
    def minimum_word(self) -> int:
        """Smallest word."""
        if self.is_binary:
            return -1
        return -(2 ** (self.width - 1)) + self.narrow if self.signed else 0

    @property
    def maximum_word(self) -> int:
        """Largest word."""
        if self.is_binary:
            return 1
        return int(2 ** (self.width - self.signed)) - 1

    @property
    def minimum(self) -> float:
        """Smallest value."""
        return self.minimum_word * self.step

    @property
    def maximum(self) -> float:
        """Largest value."""
        return self.maximum_word * self.step

    @property
    def carrier(self) -> "FixedPoint":
        """The format in which firmware stores these values: ±step takes two bits, the others are their own.

        >>> FixedPoint(1, 1).carrier
        FixedPoint(width=2, integer=2, signed=True, narrow=True, rounding='nearest')
        """
        return type(self)(2, self.integer + 1, narrow=True) if self.is_binary else self

    @overload
    def quantize(self, values: NDArray[Any]) -> NDArray[Any]: ...
    @overload
    def quantize(self, values: "torch.Tensor") -> "torch.Tensor": ...
    def quantize(self, values: "NDArray[Any] | torch.Tensor") -> "NDArray[Any] | torch.Tensor":
        """Return `values` rounded to this format, in their shape and float type (integers become float64).

        Exact if the type's mantissa holds `width` bits (float32: 24, float64: 53). NaN stays NaN.
        """
        if not isinstance(values, np.ndarray | np.generic):
            return self._quantize_tensor(values)
        if not np.issubdtype(values.dtype, np.floating):
            values = values.astype(np.float64)
        kind = values.dtype.type
        if self.is_binary:
            return np.where(values >= 0, kind(self.step), np.where(values < 0, kind(-self.step), values))
        with np.errstate(over="ignore"):  # an overflow is infinite and saturates
            words = (np.floor if self.rounds_down else np.rint)(values / kind(self.step))
        return np.clip(words, kind(self.minimum_word), kind(self.maximum_word)) * kind(self.step)

    def _quantize_tensor(self, values: "torch.Tensor") -> "torch.Tensor":
        import torch  # who has a tensor has imported it

        if self.is_binary:
            return torch.where(values >= 0, self.step, torch.where(values < 0, -self.step, values))
        rounded = (torch.floor if self.rounds_down else torch.round)(values / self.step)
        return torch.clamp(rounded, self.minimum_word, self.maximum_word) * self.step

    def words(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the integer words of `values`, quantized first; shape as given."""
        return np.rint(self.quantize(np.asarray(values, np.float64)) / self.step).astype(np.int64)


class CoarseFixedPoint(FixedPoint):
    """A format whose step is above one, as networks of others have: `integer` may exceed the width.

    >>> CoarseFixedPoint(4, 6).step
    4.0
    """

    may_be_coarse = True


class WideFixedPoint(CoarseFixedPoint):
    """A format of sums within firmware, whose words float64 need not hold.

    >>> type_name(WideFixedPoint(76, 32))
    'fixed<76,32,RND_CONV,SAT>'
    """

    widest = 1024


def type_name(number: FixedPoint) -> str:
    """Return the name of the type that computes what `number.quantize` does; binary values are in their carrier.

    >>> type_name(FixedPoint(4, 2, narrow=True))
    'fixed<4,2,RND_CONV,SAT_SYM>'
    """
    kind = number.carrier
    rounding = "TRN" if kind.rounds_down else "RND_CONV"
    return f"{str(kind)[:-1]},{rounding},{'SAT_SYM' if kind.narrow else 'SAT'}>"


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
