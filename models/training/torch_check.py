"""Says whether torch can be imported, and refuses a fit that needs it where it cannot."""

from movietui.data.problems import Problem


def defect() -> str:
    """Return what is wrong with torch and what to do, in words for a sentence; empty if torch can be imported."""
    try:
        import torch  # noqa: F401
    except Exception as error:  # if one of its libraries is broken, this may be an OSError, among others
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            return "PyTorch is not installed; install the package torch"
        return f"PyTorch is broken ({type(error).__name__}); reinstall the package torch"
    return ""


def require(model: str) -> None:
    """Raise ``Problem`` if torch, which a model needs to learn, cannot be imported."""
    if what := defect():
        raise Problem(f"{model} cannot be trained: {what}, or train a model that needs none, such as bias.")
