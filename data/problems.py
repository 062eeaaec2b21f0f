"""The exceptions that a user sees."""

from movietui.data.safe_text import strip_controls


class Problem(Exception):
    """Something that could not be done, in one sentence: what is wrong, where, and what to do about it.

    The sentence is all that the user sees: the command line prints it and exits with 1, the app shows it. It may
    contain names from outside, so control characters are stripped here, once for all callers.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(strip_controls(sentence))


class Cancelled(Exception):
    """The user asked to stop. Not an error: callers let it pass and leave nothing half written."""
