"""What shows where a model fails: its errors by subgroup, its calibration, and the confusion of stars."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from movietui.data.dataset import Floats
    from movietui.models.evaluation.parts import Parts


def detail(parts: Parts, prediction: Floats) -> dict[str, Any]:
    """Return what ``evaluate --detail --json`` adds to a row.

    ``prediction``: shape (test rows,), like the test ratings on the scale of the published ratings. If these are not
    stars, the confusion is that of whole stars, because a scale may have any number of steps.
    """
    import numpy as np

    from movietui.models.evaluation.subgroups import subgroups
    from movietui.models.metrics import calibration, calibration_error, confusion

    test = parts.test
    bins, stars, predicted_stars = calibration(prediction, test.stars), test.stars, prediction
    if scale := parts.train.published_scale:
        bins = calibration(prediction, test.stars, 0.5 * scale.unit)
        stars, predicted_stars = np.round(scale.to_stars(test.stars)), scale.to_stars(prediction)
    return {
        "subgroups": [asdict(group) for group in subgroups(parts, prediction)],
        "calibration": {"error": calibration_error(bins), "bins": [asdict(each) for each in bins]},
        "confusion": asdict(confusion(predicted_stars, stars)),
    }
