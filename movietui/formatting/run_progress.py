"""How far a run is, and what was done for it on a cluster, in words."""

from collections.abc import Mapping
from typing import Any

from movietui.formatting import text


def progress_text(progress: Mapping[str, Any]) -> str:
    """Return how far a run in progress is: ``measure 3 of 40, 12 s left``, ``Fitting als, 3 of 8 tasks``."""
    if progress.get("unit") == "tasks":
        tasks = f", {progress['epoch']:,} of {text.plural(progress['of'], 'task')}" if progress["of"] else ""
        return f"{progress['phase']}{tasks}"
    left = f", {text.duration(progress['left'])} left" if progress["left"] else ""
    return f"{progress['phase']} {progress['epoch']} of {progress['of']}{left}"


def cluster_text(cluster: Mapping[str, Any]) -> str:
    """Return where a run was trained on a cluster, and what was done there; empty for another run."""
    if not cluster:
        return ""
    done = ", ".join(text.plural(cluster[name], name[:-1]) for name in ("jobs", "stages", "tasks"))
    failed = f", {text.plural(cluster['failed_tasks'], 'failed task')} repeated" if cluster["failed_tasks"] else ""
    return f"{cluster['master']}, {text.plural(cluster['executors'], 'executor')} · {done}{failed}"
