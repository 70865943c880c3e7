"""Reading on an executor: the same result to the byte, whatever the executor does."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

import kpixl
from kpixl.cli.main import run
from kpixl.collection import executors
from kpixl.collection.consolidate import sources_text
from kpixl.collection.intake import DEFAULT_LIMITS, Job, read_files
from kpixl.collection.model import Collection
from kpixl.forms.load import load_form
from kpixl.portfolio import canonical
from tests.conftest import EXAMPLE

pytestmark = pytest.mark.workers

COPIES = 4


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example's returned files several times, and one that is no workbook."""
    folder = tmp_path_factory.mktemp("returned")
    files = (path for path in sorted((EXAMPLE / "returned").rglob("*")) if path.is_file() and "~$" not in path.name)
    for file in files:
        for number in range(COPIES):
            copyfile(file, folder / f"{number} {file.name}")
    (folder / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    return folder


def _texts(result: Collection) -> tuple[str, str, list[dict[str, Any]]]:
    problems = [p.data("en") for p in result.problems if p.code != "read-again"]
    return canonical.dumps(result.form, result.portfolio), sources_text(result), problems


@pytest.fixture(scope="module")
def expected(returned: Path) -> tuple[str, str, list[dict[str, Any]]]:
    """Return what reading in one process gives."""
    result = kpixl.collect([returned], [load_form("shanghai-target")], workers=0)
    assert len(result.portfolio.projects) == 13
    return _texts(result)


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_the_executors_of_python_give_the_same(
    kind: Callable[[int], Executor], returned: Path, expected: tuple[str, str, list[Any]]
) -> None:
    with kind(2) as executor:
        result = kpixl.collect([returned], [load_form("shanghai-target")], executor=executor)
    assert _texts(result) == expected
    assert "read-again" not in {problem.code for problem in result.problems}


class _Faulty(Executor):
    """Runs tasks where it is called; `fault` is called with the number of each and may raise, or return True to never
    finish it."""

    def __init__(self, fault: Callable[[int], bool | None]) -> None:
        self.fault, self.count = fault, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.count += 1
        future: Future[Any] = Future()
        try:
            if not self.fault(self.count):
                future.set_result(pickle.loads(pickle.dumps(fn(*args, **kwargs))))
        except KeyError as error:
            future.set_exception(error)
        return future


def _third_raises(number: int) -> None:
    if number == 3:
        raise KeyError("worker lost")


def _shut_down(number: int) -> None:
    if number > 3:
        raise RuntimeError("cannot schedule new futures after shutdown")


@pytest.mark.parametrize(("fault", "least"), [(_third_raises, 1), (_shut_down, 2), (lambda n: n > 2, 2)])
def test_what_an_executor_leaves_undone_is_read_here(
    fault: Callable[[int], bool | None],
    least: int,
    returned: Path,
    expected: tuple[str, str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executors, "PATIENCE", 0.2 - DEFAULT_LIMITS.seconds)
    result = kpixl.collect([returned], [load_form("shanghai-target")], executor=_Faulty(fault))
    assert _texts(result) == expected
    again = [problem for problem in result.problems if problem.code == "read-again"]
    assert len(again) >= least
    assert len({problem.location.file for problem in again}) == len(again)


def test_another_version_of_kpixl_reads_nothing(returned: Path) -> None:
    job = Job(returned / "broken.xlsx", "broken.xlsx")
    with pytest.raises(RuntimeError, match=r"instead of 0\.0"):
        executors._read(b"", "0.0", job, b"", DEFAULT_LIMITS)


def test_few_tasks_are_under_way_at_a_time(returned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the number of files nor their size decides how much memory is in use."""
    running: set[int] = set()
    most = 0

    class Counting(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            nonlocal most
            future = super().submit(fn, *args, **kwargs)
            running.add(id(future))
            most = max(most, len(running))
            future.add_done_callback(lambda done: running.discard(id(done)))
            return future

    jobs = [Job(path, path.name) for path in sorted(returned.iterdir())]
    monkeypatch.setattr(executors, "AHEAD", 4)
    with Counting(2) as executor:
        assert len(read_files(jobs, [load_form("shanghai-target")], workers=executor)) == len(jobs)
    assert most <= 4
    most = 0
    monkeypatch.setattr(executors, "MOST_BYTES", 1)
    with Counting(2) as executor:
        read_files(jobs, [load_form("shanghai-target")], workers=executor)
    assert most == 1


# --- Dask -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of two workers on this machine."""
    distributed = pytest.importorskip("distributed")
    import dask

    quiet = {"distributed.admin.log-format": "%(message)s", "distributed.scheduler.allowed-failures": 3}
    with (
        dask.config.set(quiet),
        # Port 0 takes any free one: the default, 8787, is warned about where another program listens there.
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as made,
    ):
        yield made


def test_a_cluster_gives_the_same(
    cluster: Any, returned: Path, expected: tuple[str, str, list[Any]], tmp_path: Path
) -> None:
    outs = {}
    for name, options in {"cluster": ["--scheduler", cluster.scheduler_address], "jobs": ["--jobs", "0"]}.items():
        folder = tmp_path / name
        folder.mkdir()
        assert run(["consolidate", str(returned), "-o", str(folder / "out.yaml"), *options]) == 1  # broken.xlsx
        outs[name] = {file.name: file.read_bytes() for file in folder.glob("out.*")}
    assert outs["cluster"] == outs["jobs"]
    assert set(outs["jobs"]) == {"out.yaml", "out.sources.json", "out.xlsx"}
    assert outs["jobs"]["out.yaml"].decode() == expected[0]


def test_a_killed_worker_costs_its_files_a_retry(
    cluster: Any, returned: Path, expected: tuple[str, str, list[Any]]
) -> None:
    from distributed import Client

    killed: list[int] = []

    def kill_one(done: int, _all: int) -> None:
        if done == 3 and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with Client(cluster, set_as_default=False) as client:
        forms = [load_form("shanghai-target")]
        jobs = [Job(path, path.name) for path in sorted(returned.iterdir())]
        before = read_files(jobs, forms, workers=0)
        after = read_files(jobs, forms, workers=client.get_executor(pure=False), progress=kill_one)
    assert killed
    assert after == before
    with Client(cluster, set_as_default=False) as client:
        result = kpixl.collect([returned], forms, executor=client.get_executor(pure=False))
    assert _texts(result) == expected


def test_a_scheduler_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from kpixl.collection import cluster

    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    out = str(tmp_path / "out.yaml")
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        command = ["consolidate", str(EXAMPLE / "returned"), "-o", out, "--scheduler", address]
        assert run(command) == 3
        assert "scheduler-unreachable" in capsys.readouterr().err


def test_dask_is_named_where_it_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    out = str(tmp_path / "out.yaml")
    assert run(["consolidate", str(EXAMPLE / "returned"), "-o", out, "--scheduler", "tcp://127.0.0.1:9"]) == 3
    assert "scheduler-needs-dask" in capsys.readouterr().err
