"""Runs work on Spark so that its progress can be seen, and so that ctrl+c ends it at once.

The work has a thread of its own, and the main thread only waits. Waiting may be interrupted at any moment. A call into
Java may not, because the next call would read its reply.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from movietui.data.language import tr, tr_noun
from movietui.data.progress import Report, Stage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.status import SparkStageInfo

LOOK_SECONDS = 0.5
"""Seconds between two looks at what Spark does."""
CANCEL_SECONDS = 0.2
"""Seconds between two attempts to cancel Spark's jobs: cancelled work may begin another job before it notices."""
RUNNING = "RUNNING"
"""The status of a Spark job that is not over."""
EXECUTORS_EVERY = 10
"""After how many looks the executors are counted again."""
Result = TypeVar("Result")


@dataclass(frozen=True)
class ClusterWork:
    """Where work runs, and what Spark has done for it so far."""

    master: str
    """The URL of the cluster."""
    executors: int = 0
    """How many executors it has now; 1 if Spark's driver does their work, as with the master ``local[2]``."""
    jobs: int = 0
    """How many of Spark's jobs are over."""
    stages: int = 0
    """How many stages of these jobs ran; Spark skips those whose result it still has."""
    tasks: int = 0
    """How many tasks of these stages are complete."""
    failed_tasks: int = 0
    """How many attempts of tasks failed; Spark repeated them."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return asdict(self)


def nothing(stage: Stage, work: ClusterWork) -> None:
    """Do nothing: the default of ``saw`` in ``run``."""


def run(
    spark: "SparkSession",
    work: Callable[[Report], Result],
    report: Report,
    saw: Callable[[Stage, ClusterWork], None] = nothing,
) -> Result:
    """Do ``work`` in another thread and return its result, or raise its error.

    ``work`` gets a function to report its stages with. The stages are passed on to ``report``, with Spark's tasks as
    their progress. ``saw`` is called with the same stages and what Spark has done, and at the end with a finished stage
    without a name. ``report`` and ``saw`` are called by one thread at a time.

    If ``report`` raises an error, or this thread is interrupted, Spark's jobs for the work are cancelled, and the error
    is raised once the work has cleaned up.
    """
    watch, results, errors = _Watch(spark, report, saw), list[Result](), list[BaseException]()

    def do() -> None:
        try:
            spark.sparkContext.setJobGroup(watch.group, "movietui", interruptOnCancel=True)
            results.append(work(watch.stage))
        except BaseException as error:
            errors.append(error)
        finally:
            watch.end()

    worker, watcher = threading.Thread(target=do, daemon=True), threading.Thread(target=watch.look_on, daemon=True)
    worker.start()
    watcher.start()
    try:
        watch.over.wait()
    except BaseException:
        watch.cancel()
        watch.over.wait()
        raise
    finally:
        watcher.join()
        saw(Stage("", finished=True), watch.work)
    if watch.error or errors:
        raise watch.error or errors[0]
    return results[0]


class _Watch:
    """Watches Spark's jobs for some work: reports what they do, and cancels them when told to."""

    def __init__(self, spark: "SparkSession", report: Report, saw: Callable[[Stage, ClusterWork], None]) -> None:
        self.over = threading.Event()
        self.error: Exception | None = None
        """The error by which ``report`` ended the work."""
        self._cancelled = False
        self._wake = threading.Event()
        """Set when there is something to do before it is time for the next look."""
        self.group = f"movietui-{uuid4().hex}"
        """The group of Spark's jobs for the work, because others may use the same session."""
        self._context = spark.sparkContext
        self._report, self._saw = report, saw
        self._reporting = threading.Lock()
        self._stage: Stage | None = None
        self.work = ClusterWork(str(self._context.master))
        self._counted = set[int]()
        """The jobs that are counted in ``work``."""
        self._ran = set[int]()
        """The stages that are counted in ``work``."""

    def stage(self, stage: Stage) -> None:
        """Pass on a stage of the work."""
        with self._reporting:
            self._stage = None if stage.finished else stage
            self._pass_on(stage)

    def _pass_on(self, stage: Stage) -> None:
        self._report(stage)
        self._saw(stage, self.work)

    def end(self) -> None:
        """Note that the work is over."""
        self.over.set()
        self._wake.set()

    def cancel(self) -> None:
        """Cancel Spark's jobs from now on, until the work is over."""
        self._cancelled = True
        self._wake.set()

    def look_on(self) -> None:
        """Report on Spark's jobs until the work is over; once it is cancelled, cancel the jobs."""
        looks = 0
        try:
            while not (self.over.is_set() or self._cancelled):
                if looks % EXECUTORS_EVERY == 0:
                    self._safely(self._count_executors)
                self._safely(self._look)
                looks += 1
                self._wake.wait(LOOK_SECONDS)
        except Exception as error:
            self.error = error
        if not self.over.is_set():
            self._safely(self._cancel_jobs)
        self._safely(self._look)

    def _safely(self, do: Callable[[], object]) -> None:
        """Call a function that asks Spark. A failure is ignored, because it must not end the work."""
        from py4j.protocol import Py4JError

        try:
            do()
        except (Py4JError, OSError):
            return

    def _cancel_jobs(self) -> None:
        """Cancel Spark's jobs until the work is over, without printing the errors that this causes."""
        self._context.setLogLevel("OFF")
        while not self.over.is_set():
            self._context.cancelJobGroup(self.group)
            self.over.wait(CANCEL_SECONDS)

    def _count_executors(self) -> None:
        in_driver = self.work.master.startswith("local") and not self.work.master.startswith("local-cluster")
        managers = int(self._context._jsc.sc().getExecutorMemoryStatus().size())  # the driver is one of them
        self.work = replace(self.work, executors=1 if in_driver else managers - 1)

    def _look(self) -> None:
        """Count the jobs that are over, and report the tasks of the active ones."""
        tracker = self._context.statusTracker()
        active, infos = set(tracker.getActiveStageIds()), []
        for job in sorted(set(tracker.getJobIdsForGroup(self.group)) - self._counted):
            info = tracker.getJobInfo(job)
            stages = [int(stage) for stage in info.stageIds] if info else []
            if info and info.status == RUNNING:
                infos += [of_stage for stage in stages if stage in active and (of_stage := tracker.getStageInfo(stage))]
            else:
                self._counted.add(job)
                self._count([of_stage for stage in stages if (of_stage := tracker.getStageInfo(stage))])
        with self._reporting:
            if self._stage is None:
                return
            stage = self._stage
            if infos:
                done, total = sum(each.numCompletedTasks for each in infos), sum(each.numTasks for each in infos)
                what = tr(" and ").join(dict.fromkeys(each.name.partition(" at ")[0] for each in infos))
                executors = f"{self.work.executors:,} {tr_noun(self.work.executors, 'executor')}"
                spark = tr(
                    "{what}, {done:,} of {total:,} tasks, {executors}",
                    what=what,
                    done=done,
                    total=total,
                    executors=executors,
                )
                note = " · ".join(filter(None, (stage.note, spark)))
                if not stage.total:  # a ``Stage`` with a total counts something other than tasks
                    stage = replace(stage, done=done, total=total, unit=tr("tasks"))
                stage = replace(stage, note=note)
            self._pass_on(stage)

    def _count(self, stages: Sequence["SparkStageInfo"]) -> None:
        """Count a job that is over, with its stages."""
        ran = [stage for stage in stages if stage.numCompletedTasks and stage.stageId not in self._ran]
        self._ran.update(stage.stageId for stage in ran)
        self.work = replace(
            self.work,
            jobs=self.work.jobs + 1,
            stages=self.work.stages + len(ran),
            tasks=self.work.tasks + sum(stage.numCompletedTasks for stage in ran),
            failed_tasks=self.work.failed_tasks + sum(stage.numFailedTasks for stage in ran),
        )
