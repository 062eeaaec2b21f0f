"""Set before numpy is loaded: workers that multiply in two threads each, on two cores, mostly wait for each other."""

import os

for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
