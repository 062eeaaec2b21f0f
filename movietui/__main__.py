"""The entry point of movietui: opens the app if there are no arguments, and otherwise runs the command line.

A shell that completes a command starts movietui without arguments too, but with ``COMPLETE`` in the environment.
"""

import os
import sys

from movietui.protocol.code_path import leave_working_folder

leave_working_folder()

from movietui.data.problems import is_stop  # noqa: E402
from movietui.protocol.exit_codes import INTERRUPTED  # noqa: E402

COMPLETE = "_MOVIETUI_COMPLETE"
"""The environment variable in which a shell says that it wants to complete a command."""


def main() -> None:
    """Run movietui, and exit with one of the documented codes."""
    try:
        _main()
    except (KeyboardInterrupt, Exception) as error:  # before the app or the command line handles it
        if not is_stop(error):
            raise
        _end_interrupted()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _end_interrupted()
        raise


def _end_interrupted() -> None:
    """Exit with ``INTERRUPTED``.

    ``sys.exit`` might not: after an interruption of certain C code, such as the import of torch, Python ends by SIGINT
    whatever its exit code is.
    """
    import atexit
    import contextlib
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(INTERRUPTED)


def _main() -> None:
    """Run movietui. The command line is not loaded to draw the app, so that the app is on screen sooner."""
    _open_standard_streams()
    from movietui.data.storage import log

    log.record_uncaught("app or command")
    if os.environ.get(COMPLETE):
        from movietui.cli.completion import complete

        sys.exit(complete(COMPLETE))
    from movietui.ask import is_wanted

    if len(sys.argv) == 1 and not is_wanted():
        from movietui.ui.start import run

        sys.exit(run())
    from movietui.cli import cli

    cli()


def _open_standard_streams() -> None:
    """Connect closed standard streams to the null device: otherwise, the next file that is opened would get the number
    of one of them, and receive what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one


if __name__ == "__main__":
    main()
