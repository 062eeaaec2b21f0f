"""Says whether torch can be imported, and refuses a fit that needs it where it cannot."""

from movietui.data.language import tr
from movietui.data.problems import Problem


def defect() -> str:
    """Return what is wrong with torch and what to do, in words for a sentence; empty if torch can be imported."""
    try:
        import torch  # noqa: F401
    except Exception as error:  # if one of its libraries is broken, this may be an OSError, among others
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            return tr("PyTorch is not installed; install the package torch")
        return tr("PyTorch is broken ({error}); reinstall the package torch", error=type(error).__name__)
    return ""


def require(model: str) -> None:
    """Raise ``Problem`` if torch, which a model needs to learn, cannot be imported."""
    if what := defect():
        raise Problem(
            tr(
                "{model} cannot be trained: {problem}, or train a model that needs none, such as bias.",
                model=model,
                problem=what,
            )
        )
