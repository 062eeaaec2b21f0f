"""Evaluation on named splits, errors by user and by subgroup, sweeps, and the experiments of the earlier systems."""
