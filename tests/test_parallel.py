"""Worker processes: the same results in the same order, errors that are raised, workers that die."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest

from kpixl import parallel
from kpixl.forms.definition import Form
from kpixl.output.template import FEW_PROJECTS, MAX_SHEETS, split, write_templates
from kpixl.parallel import Bounds, Death, Pool, in_processes
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError

pytestmark = pytest.mark.workers

START_METHODS = multiprocessing.get_all_start_methods()


def square(number: int) -> int:
    return number * number


def process(_: int) -> int:
    return os.getpid()


def die_in_a_worker(number: int) -> int:
    if number == 3 and os.getpid() != int(os.environ["KPIXL_TEST_PARENT"]):
        os._exit(1)
    return number


def backtraces(_: int) -> str:
    return os.environ["RUST_BACKTRACE"]


def no_thread(*_: object, **__: object) -> None:
    raise RuntimeError("unable to start watchdog thread")


def clockless() -> Callable[[int], list[int]]:
    """Work whose second task finds no memory for its clock where it is not the first of its worker."""
    done: list[int] = []

    def work(number: int) -> list[int]:
        done.append(number)
        if number == 1 and len(done) > 1:
            faulthandler.dump_traceback_later = no_thread
        return [number]

    return work


def refuse(number: int) -> int:
    if number == 2:
        raise ValueError(number)
    return number


@pytest.mark.parametrize("method", [m for m in ("fork", "spawn") if m in START_METHODS])
def test_results_come_in_order(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: [method])
    assert in_processes(square, range(20), 2) == [n * n for n in range(20)]


def test_nothing_is_waited_for_where_no_worker_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []

    def wait_for(busy: Collection[Connection], timeout: float) -> list[Any]:
        waited.append(len(busy))
        return wait(busy, timeout)

    monkeypatch.setattr(parallel, "wait", wait_for)
    assert in_processes(square, range(5), 2) == [n * n for n in range(5)]
    assert waited and 0 not in waited


def test_one_worker_or_one_item_needs_no_other_process() -> None:
    assert in_processes(process, range(3), 0) == in_processes(process, range(3), 1) == [os.getpid()] * 3
    assert in_processes(process, [1], 2) == [os.getpid()]
    assert in_processes(process, [], 2) == []
    assert os.getpid() not in in_processes(process, range(3), 2)


def test_what_a_worker_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="2"):
        in_processes(refuse, range(8), 2)


def test_no_worker_spells_out_where_a_library_panicked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    assert in_processes(backtraces, range(3), 2) == ["0"] * 3


def test_a_worker_without_memory_for_its_clock_costs_no_file() -> None:
    with Pool(clockless, Bounds(seconds=60), 1) as pool:
        outcomes = list(pool.run(range(4)))
    assert [outcome.parts for outcome in outcomes] == [(0,), (1,), (2,), (3,)]
    assert [outcome.death for outcome in outcomes] == [None, Death("memory_bytes", -signal.SIGABRT), None, None]


def test_what_a_dead_worker_left_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPIXL_TEST_PARENT", str(os.getpid()))
    assert in_processes(die_in_a_worker, range(8), 2) == list(range(8))


# --- templates --------------------------------------------------------------------------------


def _units(portfolio: Portfolio, sizes: dict[str, int]) -> Portfolio:
    """Return projects of several units, so many of each."""
    one = portfolio.projects[0]
    projects = [
        replace(one, id=f"{unit}-{n}", values={**one.values, "unit": unit})
        for unit, size in sizes.items()
        for n in range(size)
    ]
    return replace(portfolio, projects=tuple(projects))


def test_a_split_template_is_the_same_from_workers(
    example: tuple[Form, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, portfolio = example[0], _units(example[1], {"甲": 4, "乙": 5, "丙": 3})
    assert len(portfolio.projects) >= FEW_PROJECTS
    contents = []
    for processors in (1, 2):
        monkeypatch.setattr(os, "cpu_count", lambda n=processors: n)
        folder = tmp_path / str(processors)
        written, problems = write_templates(form, portfolio, folder, by="unit", today=date(2026, 1, 1))
        assert not problems
        assert [item.path.stem for item in written] == list(split(portfolio, "unit"))
        contents.append([item.path.read_bytes() for item in written])
    assert contents[0] == contents[1]


def test_a_unit_with_too_many_projects_is_refused_in_a_worker_too(
    example: tuple[Form, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    portfolio = _units(example[1], {"甲": MAX_SHEETS + 1, "乙": 1})
    with pytest.raises(KpixlError) as raised:
        write_templates(example[0], portfolio, tmp_path / "out", by="unit")
    assert [p.code for p in raised.value.problems] == ["too-many-sheets"]
    assert raised.value.problems[0].details["count"] == MAX_SHEETS + 1
