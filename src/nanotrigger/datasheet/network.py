"""Network: the tensors of a firmware with their formats, and its picture, a box for each layer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nanotrigger.errors import InputError
from nanotrigger.firmware.record import Firmware, Layer
from nanotrigger.graph.node import Node
from nanotrigger.numbers import FixedPoint
from nanotrigger.numbers.fixed_point import modes, without_modes

_ROLES = {
    "weight": "weights",
    "bias": "biases",
    "accum": "sums",
    "exp_table": "table of exponentials",
    "inv_table": "table of inverses",
    "result": "outputs",
}
_ROUNDING = {"TRN": "truncate", "RND": "half up", "RND_CONV": "half to even"}
_OVERFLOW = {"WRAP": "wrap", "SAT": "saturate", "SAT_SYM": "saturate, symmetric"}

_PER_ROW = 5  # boxes side by side that stay readable on an A4 page
_BOX_WIDTH, _GAP = 132, 86
_LINE, _HEADER, _PADDING = 17, 70, 12
_ROW_GAP = 54
_LABELS = {"weight": "weights", "bias": "biases", "accum": "sums", "result": "output"}


@dataclass(frozen=True)
class TensorFormat:
    """A tensor of the firmware.

    Attributes:
        layer: to which it belongs.
        role: what it is to the layer.
        shape: its dimensions.
        type_name: `fixed_point.type_name`, with rounding and overflow.
    """

    layer: str
    role: str
    shape: tuple[int, ...]
    type_name: str

    @property
    def number(self) -> FixedPoint | None:
        """The format, None if the type is not a fixed-point number."""
        try:
            kind = FixedPoint.parse(self.short)
        except InputError:
            return None
        return FixedPoint(
            kind.width, kind.integer, kind.signed, narrow=kind.signed and "SAT_SYM" in modes(self.type_name)
        )

    @property
    def short(self) -> str:
        """The type without its modes."""
        return without_modes(self.type_name)

    @property
    def rounding(self) -> str:
        """How values are rounded to it."""
        return next((_ROUNDING[mode] for mode in modes(self.type_name) if mode in _ROUNDING), "truncate")

    @property
    def overflow(self) -> str:
        """What happens to values beyond its range."""
        return next((_OVERFLOW[mode] for mode in modes(self.type_name) if mode in _OVERFLOW), "wrap")


def tensor_formats(firmware: Firmware) -> tuple[TensorFormat, ...]:
    """Return the tensors in the order in which the data flow; outputs that are bare sums are not repeated."""
    first = firmware.layers[0]
    tensors = [TensorFormat(first.label, "inputs", (first.size,), first.types["result"])]
    for previous, layer in pairwise(firmware.layers):
        tensors += [
            TensorFormat(layer.label, role, _shape(key, previous, layer), layer.types[key])
            for key, role in _ROLES.items()
            if key in layer.types and not (key == "result" and layer.types.get("accum") == layer.types[key])
        ]
    return tuple(tensors)


def _shape(key: str, previous: Layer, layer: Layer) -> tuple[int, ...]:
    if key.endswith("_table") or (key != "result" and "Conv" in layer.kind):
        return ()
    return (previous.size, layer.size) if key == "weight" else (layer.size,)


@dataclass(frozen=True)
class Box:
    """A layer with the activation after it.

    Attributes:
        name: of the layer.
        size: number of output values.
        remark: what kind of layer it is.
        formats: label and format of each tensor.
        output: format of its output.
    """

    name: str
    size: int
    remark: str
    formats: tuple[tuple[str, str], ...]
    output: str


@dataclass(frozen=True)
class PlacedBox:
    """A box and its upper left corner in the picture; `wraps` if the box is the first of a further row."""

    box: Box
    left: int
    top: int
    wraps: bool


@dataclass(frozen=True)
class NetworkPicture:
    """Boxes with their places, in user units of the SVG."""

    boxes: tuple[PlacedBox, ...]
    width: int
    height: int
    box_width: int
    box_height: int
    gap: int

    @property
    def description(self) -> str:
        """The picture in words, for those who do not see it."""
        layers = (f"{p.box.name} ({p.box.remark}) with {p.box.size} outputs of type {p.box.output}" for p in self.boxes)
        return "Layers in the order of the data: " + "; ".join(layers) + "."


def network_picture(firmware: Firmware, nodes: Iterable[Node] = ()) -> NetworkPicture:
    """Lay the layers out from left to right, in further rows where they are many.

    Args:
        firmware: whose layers they are.
        nodes: of its integer graph, which say how they are drawn; a float network has none.
    """
    boxes = network_boxes(firmware.layers, nodes)
    columns = _columns(len(boxes))
    height = _HEADER + _LINE * max(len(box.formats) for box in boxes) + _PADDING
    placed = tuple(
        PlacedBox(
            box,
            left=1 + (index % columns) * (_BOX_WIDTH + _GAP),
            top=1 + (index // columns) * (height + _ROW_GAP),
            wraps=index > 0 and index % columns == 0,
        )
        for index, box in enumerate(boxes)
    )
    return NetworkPicture(
        boxes=placed,
        width=columns * (_BOX_WIDTH + _GAP) - _GAP + 2,
        height=placed[-1].top + height + 1,
        box_width=_BOX_WIDTH,
        box_height=height,
        gap=_GAP,
    )


def network_boxes(layers: Sequence[Layer], nodes: Iterable[Node] = ()) -> tuple[Box, ...]:
    """Return a box for each layer, with what joins it; arguments as of `network_picture`."""
    by_tensor = _computed(layers, nodes)
    boxes: list[Box] = []
    for layer in layers:
        own, output = by_tensor.get(layer.tensor, []), without_modes(layer.types["result"])
        if layer.kind == "Reshape" and not own:
            continue
        joins = all(node.joins_layer for node in own) if own else layer.kind == "Activation"
        title = " + ".join(node.title for node in own) if own else _title(layer)
        if joins and len(boxes) > 1:
            former, added = boxes[-1].remark, f" + {title}"  # a ReLU may be two layers
            boxes[-1] = replace(boxes[-1], remark=former.removesuffix(added) + added, output=output)
        else:
            formats = ((_LABELS[key], without_modes(layer.types[key])) for key in _LABELS if key in layer.types)
            boxes.append(Box(layer.label, layer.size, title, tuple(formats), output))
    return tuple(_with_output(box) for box in boxes)


def _computed(layers: Sequence[Layer], nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """Return which nodes each layer of the firmware computes, by the tensor that it gives."""
    tensors, found, passed = {layer.tensor for layer in layers}, {}, []
    for node in nodes:
        passed.append(node)
        if node.output in tensors:
            found[node.output], passed = passed, []
    return found


def _title(layer: Layer) -> str:
    """Return what a layer is that no node of the integer graph describes."""
    return layer.label.split("_")[0].replace("relu", "ReLU") if layer.kind == "Activation" else layer.kind.lower()


def _with_output(box: Box) -> Box:
    """Make the last line of a box its output."""
    formats = tuple(pair for pair in box.formats if pair[0] != "output")
    return replace(box, formats=(*formats, ("output", box.output)))


def _columns(boxes: int) -> int:
    """Return how many boxes stand side by side, rows being as equal as can be.

    >>> [_columns(boxes) for boxes in (2, 5, 6, 9, 11)]
    [2, 5, 3, 5, 4]
    """
    rows = -(-boxes // _PER_ROW)
    return -(-boxes // rows)
