"""Test a checkpoint as its task wants it: the best one of a run, with figures, or any on another sample."""

from pathlib import Path

import torch
from matplotlib.figure import Figure
from rich.console import Console

from nanotrigger.command import typed_as, wide_console
from nanotrigger.data.split_data import Source, SplitData
from nanotrigger.evaluation.figures import quantizer_staircases, save_figure, weight_histograms
from nanotrigger.files import write_json, write_text
from nanotrigger.networks import Network
from nanotrigger.networks.network import folded
from nanotrigger.networks.weights import layer_weights, sparsity_summary, sparsity_table, weight_formats
from nanotrigger.tasks import judged_events, task_of
from nanotrigger.tasks.task import tested_quality
from nanotrigger.tools import terminal
from nanotrigger.training.checkpoint import TrainedNetwork, load_trained, predict, provenance
from nanotrigger.training.run_checkpoints import read_history


def evaluate_run(folder: Path, data: SplitData, *, pdf: bool = False) -> None:
    """Test `folder/best.ckpt` on the test split; write test.json and figures, print the result.

    Args:
        folder: a run folder with best.ckpt and metrics.csv.
        data: the run's data, set up.
        pdf: whether figures are written as PDF too.
    """
    with terminal().status("evaluating on the test split, and drawing figures", refresh_per_second=4) as status:
        trained = load_trained(folder / "best.ckpt")
        found = task_of(trained).evaluation(trained, data, read_history(folder / "metrics.csv"))
        figures = {**found.figures, **network_figures(trained.network)}
        status.update(f"writing {len(figures)} figures")
        for name, figure in figures.items():
            save_figure(figure, folder / "figures" / name, pdf=pdf)
    weights = layer_weights(trained.network)
    sparsity = sparsity_summary(weights)
    write_json(folder / "test.json", {**provenance(trained), **found.summary, "sparsity": sparsity})
    for name, text in found.texts.items():
        write_text(folder / name, text)
    if sparsity["total"]["zeros"]:
        Console().print(sparsity_table(sparsity))
    for table in found.tables:
        wide_console().print(table)
    print(f"{found.line}\nrun folder    {folder}\nnext          {next_step(trained.network, folder / 'best.ckpt')}")


def next_step(network: Network, checkpoint: Path) -> str:
    """Return the command for which a trained network is good: its export, or a quantized training if it has none."""
    if folded(network.section()).has_firmware:
        return f"{typed_as('export')} ckpt={checkpoint}"
    return (
        f"{typed_as('train')} experiment=NAME warm_start.ckpt={checkpoint}, a quantized one of the same layers: floats "
        "that are no chain of linear layers have no firmware"
    )


def judge_elsewhere(trained: TrainedNetwork, source: Source) -> str:
    """Return how well a network does on all events of a sample that is not its training's, a line for each number.

    Args:
        trained: the network, which scales the events as those that it was trained on.
        source: of the events, as `data.source`.

    Raises:
        InputError: the sample cannot be read, or has other features or classes than the network.
    """
    task, events = task_of(trained), judged_events(trained, source)
    outputs = predict(trained.network, torch.from_numpy(events.features).float()).double().numpy()
    figure = task.performance(trained, events, outputs)
    if figure is None:
        return (
            f"nothing tells how good the network is on {events.description}: it gives no score, or there is no signal"
        )
    numbers = {name: value for name, value in task.columns(figure, events, outputs).items() if value is not None}
    lines = [f"{tested_quality(figure)} on {events.description}; another sample than the training's"]
    return "\n".join([*lines, *(f"{name:20}  {value:.4f}" for name, value in numbers.items())])


def network_figures(network: Network) -> dict[str, Figure]:
    """Return figures of a network's weights and formats, by file name."""
    weights = layer_weights(network)
    figures = {"weights": weight_histograms({layer.name: layer.values for layer in weights}, weight_formats(weights))}
    if formats := network.named_formats or network.formats:
        figures["quantizers"] = quantizer_staircases(formats)
    return figures
