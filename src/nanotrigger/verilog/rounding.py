"""Rounding: what a change of format is in Verilog, with no logic for what the range of the word rules out."""

from dataclasses import dataclass

from nanotrigger.datapath.operations import Quantize, Range, rounded_range
from nanotrigger.verilog.wires import Wire, assigned, literal


@dataclass(frozen=True)
class _Kept:
    """The bits that stay, before the target's range bounds them: declarations, and the wire that holds them."""

    statements: tuple[str, ...]
    wire: Wire


def quantize_statements(operation: Quantize, result: Wire, source: Wire) -> list[str]:
    """Return the declarations that bring `source` to the format of `result`, `result` included."""
    at_zero = operation.relu or (operation.saturates and operation.target.low == 0)
    cut = at_zero and source.signed
    if not operation.saturates:
        return [assigned(result, _truncated(operation, result, source, cut=cut))]
    free = rounded_range(source.range, operation.drop, relu=at_zero, half_to_even=operation.rounds)
    kept = _kept(operation, source, Wire(f"{result.name}_kept", free.bits, free))
    choices = _bounds(operation.target, result, kept.wire)
    if cut:
        choices.insert(0, (source.slice(source.bits - 1, source.bits - 1), literal(0, result.bits, signed=False)))
    value = kept.wire.slice(min(result.bits, kept.wire.bits) - 1, 0)
    expression = "".join(f"{condition} ? {word} : " for condition, word in choices) + value
    return [*kept.statements, assigned(result, expression)]


def _truncated(operation: Quantize, result: Wire, source: Wire, *, cut: bool) -> str:
    shift = f"{'>>>' if operation.drop > 0 else '<<<'} {abs(operation.drop)}"
    word = source.read(signed=source.signed)
    word = f"{word} {shift}" if operation.drop else word
    if cut:
        sign = source.slice(source.bits - 1, source.bits - 1)
        return f"{sign} ? {literal(0, result.bits, signed=True)} : {word}"
    return word


def _kept(operation: Quantize, source: Wire, kept: Wire) -> _Kept:
    drop = operation.drop
    if drop == 0:
        return _Kept((), Wire(source.name, kept.bits, kept.range))
    if drop < 0:
        return _Kept((assigned(kept, f"{source.name} <<< {-drop}"),), kept)
    up = f"{kept.name.removesuffix('_kept')}_up"
    incremented = assigned(kept, _incremented(source, drop, up, signed=kept.signed))
    return _Kept((f"wire {up} = {_rounds_up(source, drop)};", incremented), kept)


def _rounds_up(source: Wire, drop: int) -> str:
    """Return whether the dropped bits are more than a half, or a half above an odd word."""
    odd = [source.slice(drop, drop)] if drop < source.bits else []
    rest = [f"(|{source.slice(drop - 2, 0)})"] if drop > 1 else []
    return f"{source.slice(drop - 1, drop - 1)} & ({' | '.join(odd + rest)})"


def _incremented(source: Wire, drop: int, up: str, *, signed: bool) -> str:
    if drop >= source.bits:
        return up
    upper = source.slice(source.bits - 1, drop)
    return f"$signed({upper}) + $signed({{1'b0, {up}}})" if signed else f"{upper} + {up}"


def _bounds(target: Range, result: Wire, kept: Wire) -> list[tuple[str, str]]:
    """Return conditions under which the word lies beyond the target, with the word that it then becomes."""
    choices = []
    size = target.high.bit_length()  # bits of a magnitude within the target
    sign = kept.slice(kept.bits - 1, kept.bits - 1)
    if kept.range.high > target.high:
        upper = f"(|{kept.slice(kept.bits - 1 - kept.signed, size)})"
        above = f"(~{sign} & {upper})" if kept.signed else upper
        choices.append((above, literal(target.high, result.bits, signed=False)))
    if kept.range.low < target.low:
        inside = [f"(&{kept.slice(kept.bits - 2, size)})"] if kept.bits - 2 >= size else []
        if target.low > ~target.high:  # narrow: the most negative word is outside as well
            inside.append(f"(|{kept.slice(size - 1, 0)})")
        below = f"{sign} & ~({' & '.join(inside)})"
        choices.append((f"({below})", literal(target.low % (1 << result.bits), result.bits, signed=False)))
    return choices
