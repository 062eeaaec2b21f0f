"""What is said when something cannot be done."""

from data.titles import plain


class Problem(Exception):
    """Something that could not be done, told in one sentence: what is wrong, where, and what to do about it.

    The sentence is all that a person sees; the command line prints it and exits with 1, the app shows it in place.
    Names from outside may stand in it: whatever could steer a terminal is taken out here, once for all.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(plain(sentence))


class Cancelled(Exception):
    """The person asked to stop. Not an error: whoever started the work lets it pass and leaves nothing half written."""
