"""Opens Spark sessions, and says in one sentence what is missing or went wrong."""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movietui.data.language import tr
from movietui.data.problems import Problem

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17
"""The oldest version of Java that Spark 4 runs on."""
LOCAL = "local[*]"
_MEMORY = "2g"
"""The memory of the driver's Java on one machine, where it also does the work of the executors."""
_LOOPBACK = "127.0.0.1"
"""The address of Spark's processes if all of them are on this machine: nothing outside has to reach them."""
_LOGGING = Path(__file__).resolve().with_name("log4j2.properties")
_VERSION = re.compile(r'version "(\d+)')


def missing() -> str:
    """Return a sentence that says what must be installed before Spark can run here; empty if nothing is missing."""
    return missing_pyspark() or missing_java()


def missing_pyspark() -> str:
    """Return a sentence that says how to install pyspark; empty if it is installed."""
    if importlib.util.find_spec("pyspark") is None:
        return tr("Spark is not installed; run pip install 'movietui[spark]', which takes about 520 MB.")
    return ""


def missing_java() -> str:
    """Return a sentence that says which Java is needed; empty if it is installed."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        where = tr("in JAVA_HOME, which is {folder}", folder=home) if home else tr("on the PATH")
        return tr(
            "Spark needs Java {version} or later, and there is no java {where}; install Java, or set JAVA_HOME.",
            version=JAVA,
            where=where,
        )
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except (OSError, subprocess.SubprocessError) as error:
        return tr(
            "Spark needs Java {version} or later, and {java} does not start ({error}); install Java, or set JAVA_HOME.",
            version=JAVA,
            java=java,
            error=error,
        )
    version = _VERSION.search(said)
    if version is None or int(version[1]) < JAVA:
        installed = tr("version {version}", version=version[1]) if version else tr("of an unknown version")
        return tr(
            "Spark needs Java {version} or later, but {java} is {installed}; install a later Java, or set JAVA_HOME.",
            version=JAVA,
            java=java,
            installed=installed,
        )
    return ""


@contextlib.contextmanager
def session(
    master: str | None, app: str = "movietui", settings: Mapping[str, str] | None = None
) -> Iterator["SparkSession"]:
    """Yield the active Spark session, such as a notebook's, or else a new one, which is stopped at the end.

    An active session prints as much at the end as at the beginning, even if work in it was cancelled.

    ``master`` is the URL of the cluster, such as ``spark://HOST:7077``, ``yarn`` or ``local-cluster[2,1,1024]``. With
    ``None``, the master is the one that ``spark-submit`` has chosen or, without it, this machine. ``settings`` are
    other settings of Spark, which override the defaults. Raises ``Problem`` if Spark cannot start.
    """
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit has found Java
    if sentence := missing_pyspark() or ("" if submitted else missing_java()):
        raise Problem(sentence)
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    if (active := SparkSession.getActiveSession()) is not None:
        with _same_log_level(active):
            yield active
        return
    # Otherwise the executors take the Python that is first on the PATH, where movietui may not be installed.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", os.environ["PYSPARK_PYTHON"])
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    warnings.filterwarnings("ignore", "toPandas attempted Arrow", UserWarning)  # on each failure, which we explain
    builder = SparkSession.builder.appName(app)
    if master or not submitted:
        builder = builder.master(master or LOCAL)
    if not submitted and (master or LOCAL).startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", _LOOPBACK)
    for key, value in {**_defaults(master, submitted), **(settings or {})}.items():
        builder = builder.config(key, value)
    try:
        with _same_interrupts():
            spark = builder.getOrCreate()
    except (PySparkException, Py4JError, OSError, RuntimeError) as error:
        raise Problem(
            tr(
                "Spark could not start with the master {master}: {reason}; check the URL, and what Spark printed "
                "above.",
                master=master or LOCAL,
                reason=_reason(error),
            )
        ) from None
    with spark:
        spark.sparkContext.setLogLevel("ERROR")
        yield spark


@contextlib.contextmanager
def _same_interrupts() -> Iterator[None]:
    """Keep the handler of ctrl+c, because Spark's handler calls Java, perhaps in the middle of another call."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _same_log_level(spark: "SparkSession") -> Iterator[None]:
    """Restore how much Spark prints, because work that is cancelled turns it off (``data.cluster.running``)."""
    from py4j.protocol import Py4JError

    before = log_level(spark)
    try:
        yield
    finally:
        with contextlib.suppress(Py4JError, OSError):  # the driver may have died
            if log_level(spark) != before:
                spark.sparkContext.setLogLevel(before)


def log_level(spark: "SparkSession") -> str:
    """Return the level of the messages that Spark prints, such as ``WARN``; Spark itself can only set it."""
    jvm: Any = spark.sparkContext._jvm
    return str(jvm.org.apache.logging.log4j.LogManager.getRootLogger().getLevel().toString())


def _defaults(master: str | None, submitted: bool) -> dict[str, str]:
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    }
    if submitted:  # whoever submits the program chooses these
        return settings
    settings["spark.driver.memory"] = _MEMORY
    if "SPARK_CONF_DIR" not in os.environ:
        settings["spark.driver.extraJavaOptions"] = f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"
    if (master or LOCAL).startswith("local"):
        settings |= {
            "spark.driver.host": _LOOPBACK,
            "spark.driver.bindAddress": _LOOPBACK,
            "spark.ui.enabled": "false",
        }
    return settings


@contextlib.contextmanager
def explain_errors(target: str) -> Iterator[None]:
    """Replace an error of Spark with a ``Problem`` that says what failed; ``target`` names what was read or written."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise Problem(
            tr(
                "Spark failed on {target}: {reason}; check that it can be reached and that the cluster runs.",
                target=target,
                reason=_reason(error),
            )
        ) from None


def _reason(error: Exception) -> str:
    """Return the first line of an error, or of the exception in Java that it stands for."""
    lines = [line.strip() for line in str(getattr(error, "java_exception", error)).splitlines() if line.strip()]
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__
