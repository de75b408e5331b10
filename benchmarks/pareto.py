"""Accuracy against effective bit operations, side by side with HGQ2: python benchmarks/pareto.py --jets FILE.

Both train on the training split of the same file and are judged on its validation split. Ours is `python train.py
experiment=jets_budget` under a budget of 300 EBOPs, and then the refinement of networks of its front to 300, 500, 1,000
and 2,000, in two processes. HGQ2 gets the same time on the same cores. One function counts the EBOPs of both:
`product_bit_operations`, from the integer weights and the bits of every signal; each of HGQ2's has bits of its own.
"""

import argparse
import itertools
import json
import math
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from training import REFERENCES, ROOT, archive, environment

from nanotrigger.evaluation.figures import save_figure
from nanotrigger.evaluation.figures.page import HALF_WIDTH, drawn, line_style, new_page
from nanotrigger.firmware.target import Target
from nanotrigger.graph.dense import product_bit_operations
from nanotrigger.networks.learned import frozen
from nanotrigger.precision.allowance import cost_of
from nanotrigger.precision.budget import Budget
from nanotrigger.precision.names import FRONT
from nanotrigger.precision.run import refinement
from nanotrigger.tasks import JetTagging
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.training.checkpoint import network_of, read_checkpoint

BUDGETS = (300, 500, 1000, 2000, 5000, 20_000)
REFINED = BUDGETS[:4]
ROUNDS = 30
GRID = 2.0**-20  # finer than any weight of HGQ2

Point = tuple[int, float]  # EBOPs and accuracy


def refined(source: str, folder: Path, budget: int, seed: int) -> list[Point]:
    """Return what a refinement to a budget passes."""
    torch.set_num_threads(1)
    data = JetData(source)
    data.setup()
    callback = Budget(ebops=budget, rounds=ROUNDS)
    callback.front = read_checkpoint(folder / "last.ckpt")["callbacks"]["Budget"]["front"]
    if callback.start is None:
        return []
    checkpoint = read_checkpoint(folder / FRONT / callback.start)
    task = JetTagging(network_of(checkpoint), l1=0.0)
    networks = refinement(checkpoint, task, data, callback.allowance, rounds=ROUNDS, seed=seed)
    return [(round(cost), accuracy(network, data)) for cost, network in networks]


def accuracy(network: torch.nn.Module, data: JetData) -> float:
    """Return the accuracy on the validation split."""
    features, labels = data.rows("validation")
    with torch.no_grad():
        return (network(features).argmax(dim=1) == labels).double().mean().item()


def ours(source: Path, seed: int, folder: Path) -> tuple[float, list[Point]]:
    """Return the seconds of a training and its refinements, and all networks on the way."""
    begin = time.perf_counter()
    options = ["experiment=jets_budget", f"data.source={source}", f"seed={seed}", f"output={folder}", "evaluate=false"]
    options += [f"budget.ebops={BUDGETS[0]}", "budget.rounds=0"]
    command = [sys.executable, "train.py", *options, "trainer.enable_progress_bar=false"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with ProcessPoolExecutor(2) as pool:
        jobs = [pool.submit(refined, str(source), folder, budget, seed) for budget in REFINED]
        points = list(itertools.chain.from_iterable(job.result() for job in jobs))
    seconds = time.perf_counter() - begin
    data = JetData(str(source))
    data.setup()
    for path in (folder / FRONT).iterdir():
        network = frozen(network_of(read_checkpoint(path))).eval()
        points.append((cost_of(network, Target()).ebops, accuracy(network, data)))
    return seconds, points


def theirs(python: Path, arrays: Path, seconds: float, seed: int, output: Path) -> list[Point]:
    """Return the networks of HGQ2 on its way down."""
    script = REFERENCES / "hgq2_pareto.py"
    subprocess.run([python, script, arrays, str(seconds), str(seed), output], check=True, capture_output=True)
    kept, points = np.load(output), []
    for number in range(sum(name.startswith("accuracy") for name in kept)):
        total = 0
        for depth in range(sum(name.startswith("weights") and name.endswith("_0") for name in kept)):
            words = np.rint(kept[f"weights_{depth}_{number}"].astype(np.float64) / GRID).astype(np.int64)
            total += product_bit_operations(words, kept[f"bits_{depth}_{number}"].astype(np.int64))
        points.append((total, float(kept[f"accuracy_{number}"])))
    return points


def best(points: list[Point], budget: int) -> float:
    """Return the best accuracy within a budget; NaN if no network is."""
    return max((score for cost, score in points if cost <= budget), default=float("nan"))


def least(points: list[Point], score: float) -> float:
    """Return the fewest EBOPs of a network that is as accurate."""
    return min((cost for cost, other in points if other >= score), default=float("inf"))


def table(results: dict[str, list[list[Point]]]) -> str:
    """Return mean and range of the accuracy within each budget, and the EBOPs for which ours is as accurate."""
    lines = ["EBOPs   Nanotrigger             HGQ2                    ahead  as accurate as HGQ2"]
    for budget in BUDGETS:
        scores = {name: [100 * best(points, budget) for points in runs] for name, runs in results.items()}
        mine_shown, theirs_shown = (_shown(values) for values in scores.values())
        mean = statistics.mean(scores["HGQ2"])
        ahead = statistics.mean(scores["Nanotrigger"]) - mean
        needed = statistics.mean(least(points, mean / 100) for points in results["Nanotrigger"])
        compared = f"{ahead:+5.2f}  {needed:,.0f} EBOPs" if math.isfinite(mean) else ""
        lines.append(f"{budget:6,}  {mine_shown:22}  {theirs_shown:22}  {compared}".rstrip())
    return "\n".join(lines)


def _shown(scores: list[float]) -> str:
    found = [score for score in scores if math.isfinite(score)]
    if not found:
        return "none"
    missing = f", {len(scores) - len(found)} none" if len(found) < len(scores) else ""
    return f"{statistics.mean(found):.2f} ({min(found):.2f} to {max(found):.2f}){missing}"


@drawn
def figure(text: str) -> Figure:
    """Draw a table as `table` returns it: the mean of the seeds within each budget, and their smallest to largest."""
    page, body = new_page(width=HALF_WIDTH, height=2.8, notes=["Simulated jets, validation split", "Bands: all seeds"])
    axes = body.subplots()
    scores = r"([\d.]+) \(([\d.]+) to ([\d.]+)\)(?:, \d none)?"
    rows = re.findall(rf"^ *([\d,]+)  {scores} +{scores}", text, re.MULTILINE)
    numbers = np.array([[float(cell.replace(",", "")) for cell in row] for row in rows])
    for index, name in enumerate(("Nanotrigger", "HGQ2")):
        mean, low, high = numbers[:, 1 + 3 * index : 4 + 3 * index].T
        style = line_style(index)
        axes.fill_between(numbers[:, 0], low, high, color=style["color"], alpha=0.2, linewidth=0)
        axes.plot(numbers[:, 0], mean, marker="os"[index], label=name, **style)
    axes.set(xscale="log", xlim=(250, 25_000), xlabel="Effective bit operations", ylabel="Validation accuracy [%]")
    axes.legend(loc="lower right")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--jets", type=Path, help="HDF5 file of jets")
    wanted.add_argument("--draw", type=Path, help="only draw the table in this file, such as benchmarks/RESULTS.md")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-references")
    parser.add_argument("--output", type=Path, default=Path("pareto"), help="folder for pareto.json and pareto.png")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.draw is not None:
        save_figure(figure(options.draw.read_text(encoding="utf-8")), options.output / "pareto", pdf=False)
        return
    python = environment(options.environments, "hgq2")
    results: dict[str, list[list[Point]]] = {"Nanotrigger": [], "HGQ2": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        arrays = archive(JetData(str(options.jets)), folder / "jets.npz")
        for seed in options.seeds:
            seconds, points = ours(options.jets.resolve(), seed, folder / str(seed))
            results["Nanotrigger"].append(points)
            results["HGQ2"].append(theirs(python, arrays, seconds, seed, folder / f"{seed}.npz"))
            print(f"seed {seed}: {seconds:.0f} s each\n{table(results)}\n", flush=True)
            (options.output / "pareto.json").write_text(json.dumps(results))
    save_figure(figure(table(results)), options.output / "pareto", pdf=False)


if __name__ == "__main__":
    main()
