"""A metric of predicted ratings and a metric of lists."""

import numpy as np

from movietui.models import ListMetric, RatingMetric


def far_off(prediction, stars):
    """Return the share of predictions that are more than one star away from the rating."""
    return np.mean(np.abs(prediction - stars) > 1)


def years(lists, train):
    """Return the standard deviation of the years of a list's first ten movies, averaged over the lists."""
    known = [train.movies.years[row[row >= 0]] for row in lists.movies[:, :10]]
    spreads = [of_list[of_list > 0].std() for of_list in known if (of_list > 0).any()]
    return np.mean(spreads) if spreads else 0.0


FAR_OFF = RatingMetric("share of predictions more than 1 ★ off", far_off, higher_is_better=False)
YEARS = ListMetric("how far apart the years of the first ten are", years)
