"""What metrics and models are, with their formulas and references, for tooltips, the help, forms and tables."""

from movietui.data.language import tr
from movietui.models.choices import metric_named, symbols_in
from movietui.protocol.messages import ModelRow

BETTER = {True: tr("; higher is better"), False: tr("; lower is better"), None: ""}


def metric_lines(name: str) -> list[str]:
    """Return what a metric measures, its formula, what the letters of the formula mean, and its reference, as far as
    it has them; nothing for an unknown metric."""
    metric = metric_named(name)
    if metric is None:
        return []
    lines = [f"{metric.measures.replace('`', '')}{BETTER[metric.higher_is_better]}", metric.formula]
    lines += [f"{symbol}: {meaning}" for symbol, meaning in symbols_in(metric.formula).items()]
    return [line for line in (*lines, metric.reference) if line]


def metric_summary(name: str) -> str:
    """Return what a metric measures, its formula and its reference in one line; empty for an unknown metric."""
    metric = metric_named(name)
    if metric is None:
        return ""
    measures = f"{metric.measures.replace('`', '')}{BETTER[metric.higher_is_better]}"
    return " · ".join(filter(None, (measures, metric.formula, metric.reference)))


def model_lines(model: ModelRow) -> list[str]:
    """Return what a model does, its formula, its reference, and the package that it comes from, as far as known."""
    package = tr("From the package {package}.", package=model["package"]) if model["package"] else ""
    return [line for line in (model["summary"], model["formula"], model["reference"], package) if line]
