"""The exceptions that end work early: ``Problem`` if it cannot be done, ``Cancelled`` if the user stops it."""

from movietui.data.safe_text import strip_controls


class Problem(Exception):
    """Something could not be done. The sentence says what is wrong, where, and what to do about it.

    The user sees only this sentence: the command line prints it and exits with 1, and the app shows it. The sentence
    may contain names from outside, so control characters are stripped here, once for all callers.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(strip_controls(sentence))


class Cancelled(Exception):
    """The user asked to stop. This is not an error: callers let it pass and leave nothing half written."""


def is_stop(error: BaseException) -> bool:
    """Return whether work ended because the user stopped it: by ``Cancelled``, ``KeyboardInterrupt`` or their effect.

    Before Python 3.12, an interruption that arrives while a class is created, such as during an import, becomes the
    cause of a ``RuntimeError``. Other code may also replace an error that it does not know.
    """
    current: BaseException | None = error
    while current is not None and not isinstance(current, KeyboardInterrupt | Cancelled):
        current = current.__cause__
    return current is not None
