"""``movietui cluster``: the same work on Spark, for more ratings than one machine holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from movietui.cli.commands import CLEANING, Commands
from movietui.cli.data import print_cleaning
from movietui.cli.output import Bars, as_json, handle_errors, print_json, print_rich
from movietui.data.language import tr

if TYPE_CHECKING:
    from movietui.data.dataset import Scale

master_option = click.option(
    "--master",
    default=None,
    help="The URL of the cluster, such as spark://HOST:7077, yarn, k8s://HOST or local-cluster[2,1,1024]. "
    "Default: the master that spark-submit has set, or else this machine.",
)


def _scale(context: click.Context, option: click.Parameter, value: str | None) -> Scale | None:
    """Return a scale of stars such as ``0.5:5:0.5``. Fail unless the text has three numbers that make one."""
    if value is None:
        return None
    from movietui.data.dataset import Scale
    from movietui.data.storage.cache import is_scale_valid

    try:
        low, high, step = map(float, value.split(":"))
    except ValueError:
        low = high = step = 0.0
    if not is_scale_valid(Scale(low, high, step)) or low < 0 or not step:
        raise click.BadParameter(tr("{scale!r} is not a scale; write LOW:HIGH:STEP, such as 0.5:5:0.5.", scale=value))
    return Scale(low, high, step)


@click.group(cls=Commands)
def cluster() -> None:
    """Work on a Spark cluster with more ratings than one machine holds.

    Needs pip install 'movietui[spark]' and Java 17 or later.
    """


@cluster.command("clean")
@click.argument("name")
@click.option("--from", "uri", required=True, help="The ratings: a folder, file or zip, or hdfs://… or s3a://…")
@click.option("--output", required=True, help="The folder for the cleaned ratings, where the cluster can write.")
@click.option(
    "--cleaning",
    "--preset",
    "cleaning",
    default=None,
    help=f"{CLEANING} Default: standard; for a plain table, standard -no-genre.",
)
@click.option(
    "--scale", callback=_scale, metavar="LOW:HIGH:STEP", help="The scale of a plain table. Default: 0.5:5:0.5."
)
@master_option
@as_json
@handle_errors
def cluster_clean(
    name: str, uri: str, output: str, cleaning: str | None, scale: Scale | None, master: str | None, json_: bool
) -> None:
    """Clean ratings on the cluster, and call the dataset NAME.

    --from takes the original files of a MovieLens release, or CSV or Parquet with the columns user, movie, rating and
    time. The ratings stay at --output; the movies and the report come to this machine.
    """
    from movietui.data.cluster.session import explain_errors, session

    with Bars() as bars, session(master, f"movietui cluster clean {name}") as spark, explain_errors(f"{uri}"):
        from movietui.data.cluster.clean import clean
        from movietui.data.cluster.running import run

        work = partial(clean, spark, name, uri, output, cleaning, scale)
        dataset = run(spark, work, bars.stage)
    report = dataset.report.to_json()
    if json_:
        print_json({**report, "uri": dataset.uri, "fingerprint": dataset.fingerprint})
        return
    print_cleaning(report)
    print_rich(tr("The ratings are at {uri}", uri=dataset.uri))
