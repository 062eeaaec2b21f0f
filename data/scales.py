"""Finds the scale of ratings that somebody supplied, and parses a scale that somebody typed."""

import re

import numpy as np
from numpy.typing import NDArray

from movietui.data.cleaning.rules import outside
from movietui.data.dataset import HIGHEST_RATING, Scale
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage.cache import is_scale_valid

USUAL = (
    Scale(1, 5, 1),
    Scale(0.5, 5, 0.5),
    Scale(0, 5, 0.5),
    Scale(2, 10, 2),
    Scale(1, 10, 1),
    Scale(0, 10, 1),
    Scale(0, 100, 1),
)
"""The usual scales; ``find`` takes the first one that nearly all ratings are on."""
ON_SCALE = 0.999
"""The share of the ratings that must be on a usual scale."""
MANY = 1_000
"""With this many ratings or more, the scale ends at the lowest and the highest rating that occur."""
NEAR_TOP = 0.9
"""The top of a usual scale stays, however, if the highest rating is at least this share of it."""
OFF_SCALE = 0.1
"""If more than this share of the ratings are not on the scale of their layout, the ratings are on another scale."""
STEPS = (1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.01)
_SCALE = re.compile(r"(-?[0-9]{1,7}(?:\.[0-9]{1,3})?)\.\.(-?[0-9]{1,7}(?:\.[0-9]{1,3})?)")

Numbers = NDArray[np.floating]


def parse(text: str) -> Scale:
    """Return the scale in a text such as ``0..100``, without steps. Raises ``Problem`` for any other text."""
    match = _SCALE.fullmatch(text.strip())
    scale = Scale(float(match[1]), float(match[2]), 0) if match else None
    if scale is None or not is_scale_valid(scale):
        raise Problem(
            tr("{text!r} is not a scale; write the lowest and the highest rating, such as 0..100 or 1..10.", text=text)
        )
    return scale


def with_steps(scale: Scale, ratings: Numbers) -> Scale:
    """Return a scale with the largest of ``STEPS`` that fits all ratings on it, or with step 0 if none fits."""
    on = ratings[~outside(scale, ratings)]
    fitting = (step for step in STEPS if not outside(Scale(scale.low, scale.high, step), on).any())
    return Scale(scale.low, scale.high, next(fitting, 0.0))


def find(ratings: Numbers) -> Scale:
    """Return the scale of ratings: see ``USUAL``, ``MANY`` and ``NEAR_TOP``.

    If no usual scale fits, the scale reaches from the lowest to the highest rating. Raises ``Problem`` if there are no
    ratings, if they are all equal, or if they are too large.
    """
    known = ratings[np.isfinite(ratings)]
    if not len(known):
        raise Problem(tr("The column of ratings is empty; leave it out with --columns to read who watched what."))
    usual = next((each for each in USUAL if 1 - outside(each, known).mean() >= ON_SCALE), None)
    if usual is not None and len(known) < MANY:
        return usual
    on = known if usual is None else known[~outside(usual, known)]
    low, high = float(on.min()), float(on.max())
    if usual is not None and high >= NEAR_TOP * usual.high:
        high = usual.high
    if low == high:
        raise Problem(
            tr(
                "All ratings are {lowest:g}, so they say nothing but who watched what; leave the column out with "
                "--columns, or give the scale with --scale.",
                lowest=low,
            )
        )
    if not is_scale_valid(Scale(low, high, 0)):
        raise Problem(
            tr(
                "The ratings reach from {lowest:g} to {highest:g}; they must be from -{limit:,.0f} to {limit:,.0f}.",
                lowest=low,
                highest=high,
                limit=HIGHEST_RATING,
            )
        )
    step = 0.0 if usual is None else usual.step
    return Scale(low, high, step) if step else with_steps(Scale(low, high, 0), on)


def of_layout(published: Scale, ratings: Numbers) -> Scale:
    """Return the scale of ratings in a layout whose releases are on the scale ``published``.

    It is ``published`` unless more than ``OFF_SCALE`` of the ratings are not on it.
    """
    known = ratings[np.isfinite(ratings)]
    return published if not len(known) or outside(published, known).mean() <= OFF_SCALE else find(known)
