"""What each worker does when several train a network over embeddings. Needs torch, but not Spark.

The workers are processes that ``torchrun`` or pyspark's ``TorchDistributor`` has started. Each worker has all ratings
of some users, and the embeddings of these users only. All workers have the network and the embeddings of the movies,
and torch's ``DistributedDataParallel`` averages the gradients of both after each batch.

The ratings are in files, whose number does not depend on the number of workers. In each epoch, each file has a random
order of its own, and each batch has rows of every file. The batches are therefore the same with any number of workers,
and a step is the step that one worker would make, up to rounding. Only two things depend on the number of workers:
which inputs dropout drops, and batch normalisation, for which each worker takes the mean and variance of its own rows.
"""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch import distributed as processes
from torch.nn.parallel import DistributedDataParallel

from movietui.data.dataset import Floats, Ints, Scale
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.samples import evenly_spread
from movietui.data.splits import hold_out
from movietui.data.storage.remote import reachable
from movietui.models.base import Epoch, History, Parameters, Progress, ignore_epoch
from movietui.models.cluster.partitions import Block, Doubles
from movietui.models.embeddings import PRIOR_USERS, EmbeddingSettings, Shape, learn_prior
from movietui.models.networks import seeded, train
from movietui.models.training.device import choose_device, to_device
from movietui.models.training.embeddings import (
    START,
    Columns,
    Network,
    Vectors,
    middle_of,
    parameters_of,
    spread_of,
    squared_errors,
    step_of,
    table_of,
)


@dataclass(frozen=True, eq=False)
class Work:
    """What every worker needs to know."""

    uri: str
    """The URI of a folder that each worker can read with pyarrow. Each file (or folder) in it is Parquet with the
    columns ``user``, ``movie`` and ``stars``, and has all ratings of its users."""
    users: int
    """How many users the dataset has, with or without ratings."""
    features: Floats
    """Side features of the movies, shape (movies + 1, features). The last row is an unknown movie."""
    scale: Scale
    shape: Shape
    settings: EmbeddingSettings
    seed: int


def fit_together(
    work: Work,
    progress: Progress = ignore_epoch,
    failed: Callable[[Exception], None] = lambda error: None,
) -> Parameters | None:
    """Train a network together with the other workers, and return the parameters on the first worker (else ``None``).

    These are the parameters of ``movietui.models.embeddings.Embedded``, but ``user`` has only the row of an unknown
    user. ``progress`` is called on the first worker, with the training loss of all workers. ``failed`` is called with
    an error before the other workers notice. Raises ``Problem`` if the ratings cannot be read or are damaged, or if
    there are more workers than files.
    """
    try:
        if choose_device().type == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
            processes.init_process_group("nccl")
        else:
            processes.init_process_group("gloo")
        return _fit(work, progress)
    except Exception as error:
        failed(error)
        raise
    finally:
        if processes.is_initialized():
            # DistributedDataParallel keeps the group in a cycle of references. If the threads of the group outlive the
            # interpreter, they abort the process.
            gc.collect()
            processes.destroy_process_group()


def _fit(work: Work, progress: Progress) -> Parameters | None:
    workers, device, settings, shape = processes.get_world_size(), choose_device(), work.settings, work.shape
    share = Share(read(work), work.seed, settings.kept_back)
    learned = share.learned
    movies = len(work.features) - 1
    rows, total = _added(np.asarray([len(learned), share.stars[learned].sum(dtype=np.float64)])).tolist()
    rows, scale = int(rows), work.scale
    overall = total / rows if rows else (scale.low + scale.high) / 2
    with seeded(work.seed):
        features = torch.zeros(1, 0, device=device), to_device(device, work.features)
        network = Network(
            features, settings.members, shape, scale, middle_of(overall if settings.mean else None, shape, scale)
        )
        network.take_users(torch.from_numpy(START * share.noise(settings.members * shape.user_factors)))
        network.to(device)
        of_worker = np.random.SeedSequence([work.seed, processes.get_rank()])
        torch.manual_seed(int(of_worker.generate_state(1)[0]))  # so that dropout differs between the workers
        for table in (network.user, network.user_bias):
            # Losses are multiplied by the number of workers, because gradients are averaged, except these.
            table.register_hook(lambda gradient: gradient / workers)  # type: ignore[no-untyped-call]
        together = DistributedDataParallel(_Shared(network))
        columns = Columns(*(to_device(device, column) for column in (share.user, share.movie, share.stars)))
        step = step_of(network, together, columns, settings)

        def step_of_share(index: Tensor) -> tuple[Tensor, Tensor]:
            loss, squared = step(index)
            return loss * (share.weight * workers), squared if share.weight else squared * 0

        def held_out_loss() -> float:
            _average_buffers(network)
            held_out = share.user[share.held_out], share.movie[share.held_out], share.stars[share.held_out]
            squares, count = _added(np.asarray([squared_errors(network, *held_out), len(share.held_out)])).tolist()
            return float(squares / max(1, count))

        def report(epoch: Epoch) -> None:
            assert epoch.train_loss is not None
            loss = float(_added(np.asarray([epoch.train_loss]))[0])
            if processes.get_rank() == 0:
                progress(Epoch(epoch.number, epoch.of, loss))

        train(
            network,
            step_of_share,
            rows,
            settings.plan,
            report,
            held_out=held_out_loss if settings.kept_back else None,
            batches=lambda epoch, batch: share.batches(epoch, -(-rows // batch), rows / -(-rows // batch)),
        )
    _average_buffers(network)
    vectors = network.user_vectors()
    known = np.bincount(share.user[learned], minlength=len(share.users)) > 0
    added = _added(np.append(vectors[:, known].sum(1, dtype=np.float64), known.sum()))
    mean = (added[:-1] / max(1.0, added[-1])).reshape(len(vectors), 1, -1)
    vectors[:, ~known] = mean
    trained, histories = _sampled(share, work.users, vectors)
    of_movies = _added(np.bincount(share.movie[learned], minlength=movies))
    counts = _added(np.bincount(share.movie, minlength=movies))
    sums = _added(np.bincount(share.movie, share.stars - overall, movies))
    if processes.get_rank() > 0:
        return None
    parameters = parameters_of(
        network,
        mean.astype(np.float32),
        table_of(network.movie_vectors(), work.features, of_movies),
        spread_of(counts, sums),
    )
    learn_prior(parameters, trained, histories, shape)
    return parameters


def read(work: Work) -> list[tuple[int, Block]]:
    """Return the ratings in this worker's files, each with the number of the file."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow.fs import FileSelector

    worker, workers = processes.get_rank(), processes.get_world_size()
    columns = {"user": np.int32, "movie": np.int32, "stars": np.float32}
    blocks = []
    try:
        files, path = reachable(work.uri)
        names = sorted(info.path for info in files.get_file_info(FileSelector(path)) if info.base_name[0] not in "._")
        for number in range(worker, len(names), workers):
            table = ds.dataset(names[number], format="parquet", filesystem=files).to_table(list(columns))
            blocks.append((number, Block.of(*(table[name].to_numpy().astype(kind) for name, kind in columns.items()))))
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise Problem(
            tr(
                "A worker cannot read the ratings at {address} ({reason}); store them where all workers can read them.",
                address=work.uri,
                reason=reason,
            )
        ) from error
    if workers > max(1, len(names)):
        raise Problem(
            tr(
                "There are more workers ({workers}) than files of ratings; start at most {files}.",
                workers=workers,
                files=len(names),
            )
        )
    for _, block in blocks:
        if len(block.movie) and not 0 <= block.movie.min() <= block.movie.max() < len(work.features) - 1:
            raise Problem(
                tr("The ratings at {address} are damaged; clean the dataset on the cluster again.", address=work.uri)
            )
    return blocks


class Share:
    """The ratings of one worker, and their order in each epoch."""

    def __init__(self, blocks: Sequence[tuple[int, Block]], seed: int, kept_back: float) -> None:
        """``blocks``: from ``read``. ``kept_back``: the share of each file's ratings that is held out from training."""
        self._seed = seed
        self.weight = 0.0
        """The number of this worker's rows in the current batch, divided by the mean number of rows in a batch."""
        first, offset, learned, held_out = 0, 0, [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        columns: dict[str, list[NDArray[Any]]] = {
            "users": [np.empty(0, np.int32)],
            "user": [np.empty(0, np.int32)],
            "movie": [np.empty(0, np.int32)],
            "stars": [np.empty(0, np.float32)],
        }
        self._parts = []
        for number, block in blocks:
            here = np.arange(first, first + len(block.stars))
            rows, left_out = hold_out(here, seed, kept_back) if kept_back else (here, here[:0])
            self._parts.append((number, len(block.users), len(rows)))
            learned.append(rows)
            held_out.append(left_out)
            columns["users"].append(block.users)
            columns["user"].append((block.index + offset).astype(np.int32))
            columns["movie"].append(block.movie)
            columns["stars"].append(block.stars)
            first, offset = first + len(block.stars), offset + len(block.users)
        self.users: Ints = np.concatenate(columns["users"])
        """The rows of the users, shape (users,), one file after the other."""
        self.user: Ints = np.concatenate(columns["user"])
        """For each rating, the index of its user in ``users``."""
        self.movie: Ints = np.concatenate(columns["movie"])
        self.stars: Floats = np.concatenate(columns["stars"])
        self.learned, self.held_out = np.concatenate(learned), np.concatenate(held_out)
        """The rows of the ratings from which the network learns, one file after the other, and of all others."""

    def noise(self, columns: int) -> Floats:
        """Return standard normal numbers for each user, shape (users, columns), the same with any number of workers."""
        tables = [np.empty((0, columns), np.float32)]
        for number, users, _ in self._parts:
            random = np.random.default_rng([self._seed, number])
            tables.append(random.standard_normal((users, columns), np.float32))
        return np.concatenate(tables)

    def batches(self, epoch: int, count: int, size: float) -> Iterator[Tensor]:
        """Yield this worker's rows in each of ``count`` batches of an epoch, and set ``weight``.

        ``size``: the mean number of rows in a batch, on all workers. For a batch without any rows of this worker, yield
        the worker's first row twice, with the weight 0, because each worker must take part in each step.
        """
        batch_of = [np.empty(0, np.int64)]
        for number, _, rows in self._parts:
            random = np.random.default_rng([self._seed, number, epoch])
            position = (random.permutation(rows) + random.random()) / max(1, rows)
            batch_of.append(np.minimum((position * count).astype(np.int64), count - 1))
        batch = np.concatenate(batch_of)
        order = np.argsort(batch, kind="stable")
        ends = np.searchsorted(batch[order], np.arange(count + 1))
        shuffled, device = self.learned[order], choose_device()
        for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            self.weight = (end - start) / size
            yield to_device(device, shuffled[start:end] if end > start else np.zeros(2, np.intp))


class _Shared(nn.Module):
    """The network as ``DistributedDataParallel`` sees it: only with the parameters that all workers have."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        shape = network.shape
        self.parameters_of_all = nn.ParameterList([network.movie])
        if shape.biases:  # without, the biases have no gradients to wait for
            self.parameters_of_all.append(network.movie_bias)
        if shape.hidden:
            self.parameters_of_all.extend(network.tower.parameters())
        self._forward = network.forward

    def forward(self, batch: Vectors) -> Tensor:
        return self._forward(batch)


def _average_buffers(network: Network) -> None:
    """Average over the workers the statistics that normalisation keeps for serving."""
    for buffer in network.buffers():
        processes.all_reduce(buffer)
        buffer /= processes.get_world_size()


def _sampled(share: Share, users: int, vectors: Floats) -> tuple[Floats, list[History]]:
    """Return the vectors and the ratings of at most ``PRIOR_USERS`` users of all workers, in the order of the users.

    ``vectors``: of this worker's users, shape (members, users, factors + 1).
    """
    chosen = np.flatnonzero(np.isin(share.users, evenly_spread(users, PRIOR_USERS)))
    rows = np.flatnonzero(np.isin(share.user, chosen))
    user = _gathered(share.users[chosen])
    trained = _gathered(np.ascontiguousarray(vectors[:, chosen].transpose(1, 0, 2)))
    of, movie, stars = (_gathered(each[rows]) for each in (share.users[share.user], share.movie, share.stars))
    order = np.argsort(user)
    block = Block.of(of, movie, stars)
    return trained[order].transpose(1, 0, 2), list(block.histories())


def _added(values: NDArray[Any]) -> Doubles:
    """Return the sum over the workers."""
    total = to_device(choose_device(), values.astype(np.float64))
    processes.all_reduce(total)
    return np.asarray(total.cpu().numpy())


def _gathered(values: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of all workers, one worker after the other."""
    lengths = np.zeros(processes.get_world_size())
    lengths[processes.get_rank()] = len(values)
    lengths = _added(lengths).astype(np.int64)
    padded = np.zeros((int(lengths.max()), *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    sent = to_device(choose_device(), padded)
    received = [torch.empty_like(sent) for _ in lengths]
    processes.all_gather(received, sent)
    rows = zip(received, lengths.tolist(), strict=True)
    return np.concatenate([each[:length].cpu().numpy() for each, length in rows])
