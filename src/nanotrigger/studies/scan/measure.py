"""What a point of a scan is measured by: one row of results.csv."""

from collections.abc import Sequence
from typing import Any

from nanotrigger.evaluation.sparsity import sparsity_summary
from nanotrigger.evaluation.summary import classification_summary
from nanotrigger.firmware.export import Export
from nanotrigger.networks.weights import layer_weights
from nanotrigger.resources.report import NAMES, ResourceReport


def measure(result: Export, reports: Sequence[ResourceReport]) -> dict[str, Any]:
    """Return accuracy, sparsity, cost, parity and hashes of an exported network.

    Accuracy and areas are those of the firmware's own logits on the judged events; resources are those of the best
    report, None without one.

    Args:
        result: of `export`.
        reports: the best source first.
    """
    events, parity = result.events, result.judgement.parity
    summary = classification_summary(result.judgement.logits, events.labels, class_names=events.class_names)
    low, high = summary["accuracy_interval"]
    best = reports[0] if reports else None
    hashes = {name: parity["sha256"][name] for name in ("checkpoint", "data", "qonnx", "firmware")}
    return {
        "accuracy": summary["accuracy"],
        "accuracy_low": low,
        "accuracy_high": high,
        "cross_entropy": summary["cross_entropy"],
        **{f"auc_{name}": area for name, area in summary["auc"].items()},
        **_sparsity(result),
        **{name: getattr(best.used, name) if best else None for name in NAMES},
        "resource_source": best.source.value if best else None,
        "contest_figure": best.contest_figure if best else None,
        "latency_cycles": best.latency_cycles if best else None,
        "differing_words": parity["differing_words"],
        "words": parity["words"],
        "events": events.description,
        **{f"sha256_{name}": value for name, value in hashes.items()},
    }


def _sparsity(result: Export) -> dict[str, float | None]:
    """Return the share of zero weights as trained, and as exported integers; None for the latter of a float network."""
    total = sparsity_summary(layer_weights(result.trained.network))["total"]
    integers = total["integer_zeros"]
    return {
        "sparsity": total["zeros"] / total["weights"],
        "sparsity_integers": None if integers is None else integers / total["weights"],
    }
