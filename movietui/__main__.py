"""Start: the app where nothing was asked for, else the command line."""

import sys


def main() -> None:
    """Run movietui. The app is started without loading the command line, to be on screen sooner."""
    if len(sys.argv) == 1:
        from movietui.start import run

        sys.exit(run())
    from movietui.cli import cli

    cli()


if __name__ == "__main__":
    main()
