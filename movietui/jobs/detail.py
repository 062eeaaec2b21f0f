"""What shows where a model fails: its errors by subgroup, its calibration, and the confusion of stars."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset, Floats, Ratings


def detail(train: Dataset, test: Ratings, prediction: Floats) -> dict[str, Any]:
    """Return what ``evaluate --detail --json`` adds to a row. ``prediction`` is in stars, shape (test rows,)."""
    from movietui.models.evaluation.subgroups import subgroups
    from movietui.models.metrics import calibration, calibration_error, confusion

    bins = calibration(prediction, test.stars)
    return {
        "subgroups": [asdict(group) for group in subgroups(train, test, prediction)],
        "calibration": {"error": calibration_error(bins), "bins": [asdict(each) for each in bins]},
        "confusion": asdict(confusion(prediction, test.stars)),
    }
