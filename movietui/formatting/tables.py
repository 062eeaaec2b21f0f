"""Tables of figures, for the command line and the screens."""

from collections.abc import Sequence

from rich.table import Table

from movietui.data.language import tr
from movietui.protocol.wire import Message


def new_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Return an empty table, in which the columns in ``right`` are right-aligned and not wrapped."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for column in columns:
        number = column in right  # figures do not wrap
        table.add_column(column, justify="right" if number else "left", overflow="fold", no_wrap=number)
    return table


def subgroups_table(row: Message) -> Table:
    """Return a table of the errors by subgroup."""
    columns = (tr("rows"), tr("users"), "rmse", "mae", tr("too high"))
    table = new_table(tr("by"), "", *columns, right=columns)
    before = ""
    for group in row["subgroups"]:
        figures = (f"{group['rmse']:.4f}", f"{group['mae']:.4f}", f"{group['too_high']:+.3f}")
        by, before = "" if group["by"] == before else group["by"], group["by"]
        table.add_row(by, group["group"], f"{group['rows']:,}", f"{group['users']:,}", *figures)
    return table


def list_subgroups_table(row: Message) -> Table:
    """Return a table of the metrics of lists by subgroup of users."""
    columns = (tr("users"), *row["subgroups"][0]["metrics"])
    table = new_table(tr("by"), "", *columns, right=columns)
    before = ""
    for group in row["subgroups"]:
        by, before = "" if group["by"] == before else group["by"], group["by"]
        figures = (f"{value:.4f}" for value in group["metrics"].values())
        table.add_row(by, group["group"], f"{group['users']:,}", *figures)
    return table


def calibration_table(row: Message) -> Table:
    """Return a table of the mean predicted and the mean given rating, by predicted rating."""
    columns = (tr("predicted from"), tr("to"), tr("rows"), tr("mean"), tr("rated"))
    table = new_table(*columns, right=columns)
    for part in row["calibration"]["bins"]:
        means = (f"{part['predicted']:.2f}", f"{part['rated']:.2f}")
        table.add_row(f"{part['low']:.1f}", f"{part['high']:.1f}", f"{part['rows']:,}", *means)
    table.caption = tr("mean distance {distance:.4f} stars", distance=row["calibration"]["error"])
    return table


def confusion_table(row: Message) -> Table:
    """Return a table of how often each rating was predicted as each whole number of stars."""
    confusion = row["confusion"]
    columns = [tr("as {stars:g}", stars=stars) for stars in confusion["predicted"]]
    table = new_table(tr("rated"), *columns, right=(tr("rated"), *columns))
    for stars, counts in zip(confusion["rated"], confusion["counts"], strict=True):
        table.add_row(f"{stars:g}", *(f"{count:,}" for count in counts))
    return table
