"""What a point of a scan is measured by: one row of results.csv."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from nanotrigger.cost.contest import contest_figure
from nanotrigger.cost.report import NAMES, ResourceReport
from nanotrigger.errors import InputError
from nanotrigger.firmware.export import Export
from nanotrigger.networks.weights import layer_weights, sparsity_summary
from nanotrigger.tasks import task_of
from nanotrigger.training.diagnosis import diagnose


def measure(
    result: Export, reports: Sequence[ResourceReport], history: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """Return quality, sparsity, cost, parity, what the firmware has, remarks and hashes of an exported network.

    The quality and what the task adds to it are those of the firmware's own outputs on the judged events; resources
    are those of the best report, None without one.

    Args:
        result: of `export`.
        reports: the best source first.
        history: of its training, columns of metrics.csv; empty if it was trained elsewhere.

    Raises:
        InputError: the firmware's outputs do not tell how well it does its task.
    """
    parity = result.judgement.parity
    features = torch.from_numpy(result.events.features).float()
    remarks = (*result.remarks, *diagnose(result.trained.network, features, history))
    best = reports[0] if reports else None
    hashes = {name: parity["sha256"][name] for name in ("checkpoint", "data", "qonnx", "firmware")}
    return {
        **_quality(result),
        **_sparsity(result),
        **{name: getattr(best.used, name) if best else None for name in NAMES},
        "resource_source": best.source if best else None,
        "contest_figure": contest_figure(best) if best else None,
        "latency_cycles": best.latency_cycles if best else None,
        "differing_words": parity["differing_words"],
        "words": parity["words"],
        **_built(parity),
        "remarks": "; ".join(remarks) or None,
        "events": result.events.description,
        **{f"sha256_{name}": value for name, value in hashes.items()},
    }


def _built(parity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the firmware has, which may differ from the `export.` keys; reuse factors by layer if they differ."""
    built = dict(parity["built"])
    factors = set(built["reuse_factor"].values())
    return {**built, "reuse_factor": factors.pop()} if len(factors) == 1 else built


def _quality(result: Export) -> dict[str, Any]:
    figure, events, outputs = result.judgement.performance, result.events, result.judgement.outputs
    if figure is None:
        raise InputError(f"{result.trained.network.output_name} have no score to compare networks by; export the whole")
    low, high = figure.interval
    quality = {figure.key: figure.value, f"{figure.key}_low": low, f"{figure.key}_high": high}
    return {**quality, **task_of(result.trained).columns(figure, events, outputs)}


def _sparsity(result: Export) -> dict[str, float | None]:
    """Return the share of zero weights as trained, and as exported integers; None for the latter of a float network."""
    total = sparsity_summary(layer_weights(result.trained.network))["total"]
    integers = total["integer_zeros"]
    return {
        "sparsity": total["zeros"] / total["weights"],
        "sparsity_integers": None if integers is None else integers / total["weights"],
    }
