"""Protocols and figures: evaluation, per-user errors, subgroups, sweeps, reproduced papers."""
