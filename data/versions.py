"""The versions of installed packages."""

from importlib.metadata import PackageNotFoundError, version


def version_of(package: str) -> str:
    """Return the version of a package; empty if the package is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
