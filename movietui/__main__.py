"""Start: the app where nothing was asked for, else the command line."""

import gc
import sys


def main() -> None:
    """Run movietui. The app is started without loading the command line, to be on screen sooner."""
    if len(sys.argv) == 1:
        gc.disable()  # what is imported stays: looking for garbage meanwhile takes a tenth of the start
        from movietui.app import run

        gc.freeze()
        gc.enable()
        sys.exit(run())
    from movietui.cli import cli

    cli()


if __name__ == "__main__":
    main()
