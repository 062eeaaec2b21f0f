"""Finds files in the home folders that fixtures fill."""

from movietui.data.storage import locations
from movietui.store.ratings import Store


def checkpoint_of(model: str) -> str:
    """Return the checkpoint folder of the newest finished run of a model."""
    store = Store(locations.store())
    name = next(run.checkpoint for run in store.runs() if (run.model, run.state) == (model, "done"))
    store.close()
    return str(locations.checkpoints() / name)
