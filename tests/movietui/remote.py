"""A dataset that is on a cluster, with a model that was trained there, made without Spark."""

from dataclasses import replace
from pathlib import Path

from movietui.data import catalogue
from movietui.data.cluster.dataset import ClusterDataset
from movietui.data.dataset import Dataset
from movietui.data.storage import locations
from movietui.data.storage.remote_view import view
from movietui.models import checkpoints, choose
from movietui.models.registry import MODELS
from movietui.store.ratings import Store
from movietui.store.run_records import SPARK
from tests.cluster.stored import store as write


def save_remote(folder: Path, name: str = "own") -> tuple[Dataset, ClusterDataset]:
    """Write the demo to ``folder``, under another name, as a cluster would have left it, and make it known here."""
    whole = replace(catalogue.load("demo"), name=name)
    return whole, write(whole, folder, report=replace(catalogue.clean("demo"), dataset=name))


def train_remote(store: Store, whole: Dataset, stored: ClusterDataset, model: str = "als") -> int:
    """Fit a model on all ratings, store it as a run of the cluster, and return the number of the run."""
    settings = choose(model, changes={"sweeps": "2"})
    fitted = MODELS[model](settings, seed=0)
    fitted.fit(whole)
    run = store.start_run(model, stored.name, stored.preset, "random90-by-hash", 0, {"sweeps": 2}, device=SPARK)
    record = store.run(run)
    assert record is not None
    metrics = {"rmse": 0.9}
    checkpoints.save(locations.checkpoint(record.checkpoint), fitted, view(stored), fitted_on="train", metrics=metrics)
    store.end_run(run, "done", seconds=1.0, metrics=metrics)
    return run
