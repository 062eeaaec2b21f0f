"""Networks over embeddings, trained by several workers with torch's ``DistributedDataParallel``.

On Spark, ``network_fit`` starts the workers with ``TorchDistributor``. Without Spark, ``torchrun`` starts them:

    torchrun --nproc-per-node 2 -m movietui.models.cluster.networks dot --dataset NAME --output FOLDER

That command learns from all ratings of a dataset that was cleaned on a cluster, and writes a checkpoint.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from movietui.data.cluster.files import FileSystem
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import remote
from movietui.data.storage.remote import RemoteDataset
from movietui.data.storage.remote_view import view
from movietui.models.base import Epoch, Parameters
from movietui.models.checkpoints import save
from movietui.models.cluster.partitions import Partitions
from movietui.models.embeddings import Embedded, EmbeddingSettings
from movietui.models.evaluation.measure import choose
from movietui.models.registry import MODELS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from movietui.models.cluster.workers import Work

NETWORKS = ("sgd-mf", "deep-mf", "residual-mf", "dot", "ncf", "hybrid")
"""The models that are networks over embeddings."""
ROWS_PER_WORKER = 256
"""The fewest ratings of a batch for each worker. With fewer, workers mostly wait for each other."""
FAILURE = "_failure"
"""The file beside the ratings in which the first worker that fails writes why."""
_FAILURE_BYTES = 2000


def network_fit(name: str) -> Callable[[Partitions, EmbeddingSettings, int], Parameters]:
    """Return a function that fits a network over embeddings; see ``movietui.models.cluster.workers``.

    The workers read the ratings from a folder beside the dataset, which is removed at the end. ``hybrid`` has only side
    features of movies. The function raises ``Problem`` if a worker fails or dies.
    """

    def fit(train: Partitions, settings: EmbeddingSettings, seed: int) -> Parameters:
        spark = train.ratings.sparkSession
        with train.dataset.scratch(spark) as scratch:
            train.ratings.write.option("maxRecordsPerFile", 0).parquet(scratch)
            work = _work(name, train.dataset, settings, seed, scratch)
            return _run(spark, work, _processes(train, settings), name)

    return fit


def _work(name: str, dataset: RemoteDataset, settings: EmbeddingSettings, seed: int, uri: str) -> "Work":
    """Return what the workers need to fit a model to the ratings at a URI."""
    from movietui.models.cluster.workers import Work

    model = MODELS[name](settings, seed=seed)
    assert isinstance(model, Embedded)
    features = model.side_features(view(dataset))[1]
    return Work(uri, dataset.user_count, features, dataset.scale, model.shape, settings, seed)


def _processes(train: Partitions, settings: EmbeddingSettings) -> int:
    """Return the number of workers: one for each task that the cluster can run at once or, with GPUs, one for each GPU.

    There are at most as many workers as partitions of ratings, and each has at least ``ROWS_PER_WORKER`` ratings of a
    batch, unless there is only one worker.
    """
    spark = train.ratings.sparkSession
    parts, batch = int(train.ratings.rdd.getNumPartitions()), settings.plan.batch_of(len(train))
    return max(1, min(slots(spark) * max(1, _gpus(spark)), parts, batch // ROWS_PER_WORKER))


def slots(spark: "SparkSession") -> int:
    """Return how many tasks the executors that have started can run at the same time."""
    context = spark.sparkContext._jsc.sc()
    return int(context.maxNumConcurrentTasks(context.resourceProfileManager().defaultResourceProfile()))


def _gpus(spark: "SparkSession") -> int:
    """Return how many GPUs each task has."""
    amount: str | None = spark.conf.get("spark.task.resource.gpu.amount", "0")
    return int(float(amount or 0))


def _run(spark: "SparkSession", work: "Work", workers: int, name: str) -> Parameters:
    """Let workers train together, as tasks that Spark starts at the same time. Raises ``Problem`` if one fails."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.ml.torch.distributor import TorchDistributor

    distributor = TorchDistributor(workers, local_mode=False, use_gpu=_gpus(spark) > 0)
    distributor.logger.setLevel(logging.WARNING)
    try:
        return cast(Parameters, distributor.run(_in_task, work))
    except (PySparkException, Py4JError, RuntimeError) as error:
        files, file = FileSystem(spark), f"{work.uri}/{FAILURE}"
        said = files.head(file, _FAILURE_BYTES).decode(errors="replace") if files.entry(file) else ""
        if not said:
            if "TorchDistributor failed during training" not in str(error):
                raise
            said = tr("a worker died")
        raise Problem(
            tr(
                "{model} could not be trained on {workers} workers: {reason}; see what they printed above.",
                model=name,
                workers=workers,
                reason=said.rstrip("."),
            )
        ) from None


def _in_task(work: "Work") -> Parameters | None:
    from movietui.models.cluster.workers import fit_together

    return fit_together(work, failed=partial(_say_why, work.uri))


def _say_why(uri: str, error: Exception) -> None:
    """Write why this worker failed, unless another worker has failed before and so caused the failure."""
    reason = str(error).strip().partition("\n")[0]
    if any(word in reason for word in ("gloo", "NCCL")):
        reason = tr(
            "a worker died, perhaps because its memory ran out, or could not be reached ({reason})", reason=reason
        )
    elif not isinstance(error, Problem):
        reason = tr("a worker failed ({error}: {reason})", error=type(error).__name__, reason=reason)
    with suppress(OSError, ValueError):
        files, path = remote.reachable(f"{uri}/{FAILURE}")
        if not files.get_file_info(path).is_file:
            with files.open_output_stream(path) as stream:
                stream.write(reason.encode()[:_FAILURE_BYTES])


def main(arguments: Sequence[str]) -> None:
    """Train a network as one of the processes that torchrun has started. The first one writes the checkpoint."""
    parser = argparse.ArgumentParser("movietui.models.cluster.networks", description=main.__doc__)
    parser.add_argument("model", choices=NETWORKS)
    parser.add_argument("--dataset", required=True, help="A dataset that was cleaned with movietui cluster clean.")
    parser.add_argument("--output", required=True, type=Path, help="A new folder for the checkpoint.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="Change a setting.")
    parser.add_argument("--published", action="store_true", help="Use the published settings.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if wrong := [each for each in options.set if "=" not in each]:
        parser.error(tr("--set {change} must be NAME=VALUE", change=wrong[0]))
    changes = dict(each.split("=", 1) for each in options.set)
    try:
        _train(options.model, options.dataset, options.output, changes, options.published, options.seed)
    except Problem as problem:
        raise SystemExit(str(problem)) from None


def _train(name: str, dataset_name: str, output: Path, changes: Mapping[str, str], published: bool, seed: int) -> None:
    from movietui.models.cluster.workers import fit_together

    def say(epoch: Epoch) -> None:
        assert epoch.train_loss is not None
        rmse = epoch.train_loss**0.5
        print(
            tr("epoch {epoch} of {epochs}: rmse {rmse:.4f}", epoch=epoch.number, epochs=epoch.of, rmse=rmse),
            flush=True,
        )

    dataset = remote.load(dataset_name, RemoteDataset)
    settings = cast(EmbeddingSettings, choose(name, published, changes))
    work = _work(name, dataset, settings, seed, f"{dataset.uri}/{dataset.folder}/ratings")
    parameters = fit_together(work, say)
    if parameters is not None:
        model = MODELS[name](settings, seed=seed)
        model.restore({**parameters, "counts": dataset.counts.astype("int32")}, dataset.scale)
        save(output, model, view(dataset), fitted_on="all ratings")


if __name__ == "__main__":
    main(sys.argv[1:])
