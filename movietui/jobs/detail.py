"""What shows where a model fails: its errors by subgroup, its calibration, and the confusion of stars."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from movietui.data.dataset import Floats
    from movietui.models.evaluation.parts import Parts


def detail(parts: Parts, prediction: Floats) -> dict[str, Any]:
    """Return what ``evaluate --detail --json`` adds to a row. ``prediction`` is in stars, shape (test rows,)."""
    from movietui.models.evaluation.subgroups import subgroups
    from movietui.models.metrics import calibration, calibration_error, confusion

    test = parts.test
    bins = calibration(prediction, test.stars)
    return {
        "subgroups": [asdict(group) for group in subgroups(parts, prediction)],
        "calibration": {"error": calibration_error(bins), "bins": [asdict(each) for each in bins]},
        "confusion": asdict(confusion(prediction, test.stars)),
    }
