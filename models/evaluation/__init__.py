"""Protocols and figures: evaluation, errors by user and by subgroup, sweeps, and the experiments of source systems."""
