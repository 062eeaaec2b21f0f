"""Which plug-ins are installed, and which of them cannot be used."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from movietui.data import plugins, readers
from movietui.data.plugins import Plugin
from movietui.data.problems import Problem
from movietui.models import plugin_metrics, registry
from movietui.protocol.messages import MetricRow, PluginRow


def list_plugins() -> list[PluginRow]:
    """Return the models, readers and metrics of other packages. Imports all of them to see whether they can be used."""
    declared = (*registry.declared(), *plugins.declared("reader"), *plugin_metrics.declared())
    return [_row(plugin) for plugin in declared]


def _row(plugin: Plugin) -> PluginRow:
    problem, metric = "", None
    try:
        if plugin.kind == "metric":
            metric = _metric(plugin)
        elif plugin.kind == "reader":
            readers.load(plugin)
        else:
            registry.load(plugin)
    except Problem as unusable:
        problem = str(unusable)
    return {
        "kind": plugin.kind,
        "name": plugin.name,
        "package": plugin.package,
        "version": plugin.version,
        "problem": problem,
        "metric": metric,
    }


def _metric(plugin: Plugin) -> MetricRow:
    described = asdict(plugin_metrics.described(plugin, plugin_metrics.load(plugin)))
    return cast(MetricRow, {name: described[name] for name in MetricRow.__annotations__})
