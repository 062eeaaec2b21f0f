"""A terminal application that recommends movies. ARCHITECTURE.md says what each folder is for.

``import movietui as mt`` also offers what ``movietui.api`` defines, such as ``mt.load``. It is imported when it is
first used (PEP 562), so that the app starts without it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from movietui.api import (
        MODELS,
        Dataset,
        Evaluation,
        Problem,
        Recommender,
        Split,
        compare,
        evaluate,
        from_frame,
        get,
        load,
        split,
    )

__version__ = "0.2.0"
__all__ = [
    "MODELS",
    "Dataset",
    "Evaluation",
    "Problem",
    "Recommender",
    "Split",
    "compare",
    "evaluate",
    "from_frame",
    "get",
    "load",
    "split",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
