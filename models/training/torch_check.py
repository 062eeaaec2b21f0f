"""Refuses a fit that needs torch where torch is missing or broken."""

from movietui.data.problems import Problem


def require(model: str) -> None:
    """Raise ``Problem`` if torch, which a model needs to learn, cannot be imported."""
    try:
        import torch  # noqa: F401
    except Exception as error:  # if one of its libraries is broken, this may be an OSError, among others
        missing = isinstance(error, ModuleNotFoundError) and error.name == "torch"
        state = "is not installed" if missing else f"cannot be imported ({type(error).__name__})"
        raise Problem(
            f"{model} needs PyTorch to learn, which {state}; {'' if missing else 're'}install the package torch, or "
            "train a model that needs none, such as bias."
        ) from error
