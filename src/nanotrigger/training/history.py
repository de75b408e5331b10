"""metrics.csv: one row an epoch, whole at any moment, continued when a run is resumed."""

import csv
import io
from pathlib import Path
from typing import Any

import lightning

from nanotrigger.files import write_text


class History(lightning.Callback):
    """Keep the logged metrics of every epoch, in the checkpoint too, and write them as CSV.

    Lightning's CSVLogger deletes the file when a run is resumed and spreads an epoch over two rows.

    Args:
        path: the CSV file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Append the epoch's row and write the file; Lightning keeps the metrics of an earlier validation as well."""
        of_epoch = "" if pl_module.is_validated else "train_"
        metrics = {
            name: float(value) for name, value in sorted(trainer.callback_metrics.items()) if name.startswith(of_epoch)
        }
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.rows.append({"epoch": trainer.current_epoch, "learning_rate": float(rate), **metrics})
        if trainer.is_global_zero and not trainer.fast_dev_run:
            write_text(self.path, _to_csv(self.rows))

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far, for the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue after the rows of the checkpoint."""
        self.rows = list(state_dict["rows"])


def read_history(path: Path) -> dict[str, list[float]]:
    """Return the columns of a metrics.csv."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]} if rows else {}


def _to_csv(rows: list[dict[str, float]]) -> str:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))  # an epoch without validation has fewer
    writer = csv.DictWriter(text, fieldnames=columns, restval="nan", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
