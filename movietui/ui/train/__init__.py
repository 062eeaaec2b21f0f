"""The Train screen: the queue, curves, runs, sweeps and settings."""
