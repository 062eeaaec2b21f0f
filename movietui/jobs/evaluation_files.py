"""Files with what models predicted: the stars of each test rating, and lists in TREC's formats."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from movietui.data.language import tr
from movietui.data.near_names import either
from movietui.data.problems import Problem
from movietui.data.storage.atomic_files import require_free, whole_file, write_file
from movietui.formatting.escaping import csv_text

if TYPE_CHECKING:
    import pyarrow as pa

    from movietui.jobs.evaluate import EvaluateRequest
    from movietui.models.evaluation.measure import Evaluation
    from movietui.models.metrics import Lists

Write = Callable[["Evaluation"], None]
"""Writes what a model predicted."""
SUFFIXES = (".parquet", ".csv")
NUMBERS = ("rating", "predicted", "uncertainty")
COLUMNS = ("user", "item", *NUMBERS, "model", "split", "split_seed", "seed")
"""The columns of a file with predictions."""
DIGITS = 6
"""How many decimals of a prediction a CSV file has."""


def files_for(request: EvaluateRequest) -> Sequence[AbstractContextManager[Write]]:
    """Return the files that a request asks for; each is written completely or not at all.

    Raises ``Problem`` for a file that does not fit the task or must not be replaced, before anything is fitted.
    """
    files = []
    if request.predictions is not None:
        if request.task != "rating":
            raise Problem(tr("--predictions writes predicted stars; use it with --task rating."))
        path = request.predictions.expanduser()
        if path.suffix.lower() not in SUFFIXES:
            raise Problem(
                tr(
                    "{file} must end with {suffixes}; the suffix decides the format.",
                    file=path.name,
                    suffixes=either(SUFFIXES),
                )
            )
        require_free(path, force=request.force)
        files.append(_prediction_file(path, force=request.force))
    if request.trec is not None:
        if request.task != "ranking":
            raise Problem(tr("--trec writes lists; use it with --task ranking."))
        folder = request.trec.expanduser()
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            require_free(folder, force=request.force and folder.is_dir())
        files.append(_trec_folder(folder, force=request.force))
    return files


@contextmanager
def _prediction_file(path: Path, *, force: bool) -> Iterator[Write]:
    with whole_file(path, force=force) as draft:
        if path.suffix.lower() == ".csv":
            with draft.open("w", encoding="utf-8", newline="") as text:
                text.write(csv_text([COLUMNS]))
                yield lambda measured: _write_csv(text.write, predictions_of(measured))
        else:
            import pyarrow as pa
            from pyarrow import parquet

            with pa.OSFile(str(draft), "wb") as file, parquet.ParquetWriter(file, _schema()) as writer:
                yield lambda measured: writer.write_table(predictions_of(measured))


def _schema() -> pa.Schema:
    import pyarrow as pa

    seeds = dict.fromkeys(("split_seed", "seed"), pa.int64())
    kinds = {**dict.fromkeys(COLUMNS, pa.string()), **dict.fromkeys(NUMBERS, pa.float32()), **seeds}
    return pa.schema([(name, kinds[name]) for name in COLUMNS])


def predictions_of(measured: Evaluation) -> pa.Table:
    """Return a row for each test rating, in the order of the test part, with the dataset's ids; see ``COLUMNS``."""
    import pyarrow as pa

    train, test = measured.parts.train, measured.parts.test
    columns = {
        "user": pa.array(train.users.ids, pa.string()).take(pa.array(test.user)),
        "item": pa.array(train.movies.ids, pa.string()).take(pa.array(test.movie)),
        "rating": pa.array(test.stars),
        "predicted": pa.array(measured.prediction),
        "uncertainty": pa.array(measured.uncertainty),
        **{
            name: pa.repeat(pa.scalar(getattr(measured, name), _schema().field(name).type), len(test))
            for name in COLUMNS[5:]
        },
    }
    return pa.table(columns, schema=_schema())


def _write_csv(write: Callable[[str], object], table: pa.Table) -> None:
    for batch in table.to_batches(max_chunksize=100_000):
        columns = [
            np.round(column.to_numpy().astype(np.float64), DIGITS).tolist() if name in NUMBERS else column.to_pylist()
            for name, column in zip(COLUMNS, batch.columns, strict=True)
        ]
        write(csv_text(zip(*columns, strict=True)))


@contextmanager
def _trec_folder(folder: Path, *, force: bool) -> Iterator[Write]:
    written: set[str] = set()

    def write(measured: Evaluation) -> None:
        on = f"{measured.split}-{measured.split_seed}"
        if on not in written:
            _write_lines(folder / _file_name(f"{on}.qrels"), qrels_of(measured), force=force)
            written.add(on)
        run = _file_name(f"{measured.model}-{on}-{measured.seed}.run")
        _write_lines(folder / run, run_of(measured), force=force)

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise Problem(
            tr("The folder {folder} could not be made: {reason}; choose another.", folder=folder, reason=error)
        ) from None
    yield write


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def _write_lines(path: Path, lines: Iterable[str], *, force: bool) -> None:
    write_file(path, "".join(f"{line}\n" for line in lines).encode("utf-8"), force=force)


def qrels_of(measured: Evaluation) -> Iterator[str]:
    """Yield the lines ``user 0 movie relevance`` for the test ratings of the users who were given a list; the relevance
    is 1 or 0."""
    users, movies, lists = _ids(measured)
    test = measured.parts.test
    of_lists = np.flatnonzero(np.isin(test.user, lists.users))
    order = of_lists[np.argsort(test.user[of_lists], kind="stable")]
    columns = (test.user[order], test.movie[order], test.stars[order] >= lists.measures.relevant)
    for user, movie, relevant in zip(*(column.tolist() for column in columns), strict=True):
        yield f"{users[user]} 0 {movies[movie]} {int(relevant)}"


def run_of(measured: Evaluation) -> Iterator[str]:
    """Yield the lines ``user Q0 movie rank score model`` of the lists.

    The score only falls with the rank: trec_eval sorts by it, and ignores the rank.
    """
    users, movies, lists = _ids(measured)
    length = lists.movies.shape[1]
    for user, row in zip(lists.users.tolist(), lists.movies.tolist(), strict=True):
        for rank, movie in enumerate(row, 1):
            if movie >= 0:
                yield f"{users[user]} Q0 {movies[movie]} {rank} {length + 1 - rank} {measured.model}"


def _ids(measured: Evaluation) -> tuple[Sequence[str], Sequence[str], Lists]:
    """Return the ids of users and movies as TREC's formats allow them, and the lists."""
    assert measured.lists is not None
    train = measured.parts.train
    users, movies = ([_trec_id(each) for each in ids] for ids in (train.users.ids, train.movies.ids))
    return users, movies, measured.lists


def _trec_id(name: str) -> str:
    """Return an id without white space and control characters, which are percent-encoded, as are ``%`` and all
    characters outside ASCII.

    >>> _trec_id("tt0116282"), _trec_id("a b%")
    ('tt0116282', 'a%20b%25')
    """
    return quote(name, safe=string.punctuation.replace("%", ""), errors="surrogatepass")
