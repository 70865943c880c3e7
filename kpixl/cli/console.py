"""What people see of a run: tables and problems on stderr, JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kpixl.problems import Problem, Severity
from kpixl.texts import Text, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from kpixl.collection.consolidate import Consolidated
    from kpixl.output.annotate import MarkedFile
    from kpixl.output.status import Status

MAX_LISTED_FILES = 60  # above that only files with something to say are listed
MAX_LISTED_PROBLEMS = 400
PROGRESS_FROM = 20  # files

FILE: Text = ("文件", "File")
PROJECTS: Text = ("项目", "Projects")
ERRORS: Text = ("错误", "Errors")
WARNINGS: Text = ("警告", "Warnings")
NOTES: Text = ("提示", "Notes")
TOTAL: Text = ("合计 {files} 个文件", "files in all: {files}")
CLEAN: Text = (
    "另有 {count} 个文件没有问题，未逐一列出。",
    "Not listed because there is nothing to report: {count}.",
)
MORE: Text = ("……另有 {count} 条，见 --json。", "... {count} more, see --json.")
WROTE: Text = ("已写出 {path}", "wrote {path}")
UNCHANGED: Text = ("内容未变 {path}", "unchanged {path}")
SEVERITIES: dict[Severity, Text] = {
    Severity.ERROR: ("错误", "error"),
    Severity.WARNING: ("警告", "warning"),
    Severity.INFO: ("提示", "note"),
}
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
MARKED: Text = (
    "标注副本写入 {path}：{marked} 个文件已标注，{listed} 个只列出问题清单。",
    "Copies to send back are in {path}: marked {marked}, only listed {listed}.",
)
READING: Text = ("读取文件", "Reading files")
MARKING: Text = ("标注问题", "Marking files")
GENERAL: Text = ("（总体）", "(in general)")
LOOKS: Text = (
    "{count} 个文件因数值存疑再次打开复核。",
    "Opened again because a value was in doubt: {count}.",
)


def console() -> Console:
    """Return the console for people, on stderr."""
    from rich.console import Console

    terminal = sys.stderr.isatty()
    return Console(stderr=True, highlight=False, soft_wrap=not terminal, width=None if terminal else 120)


def say_error(text: str) -> None:
    """Print one line for people."""
    print(text, file=sys.stderr)


def wrote(path: Path, changed: bool, lang: str) -> None:
    """Say that an output was written, or was already right."""
    say_error(say(WROTE if changed else UNCHANGED, lang, path=path))


def print_problems(problems: Sequence[Problem], lang: str) -> None:
    """Print problems grouped by file and sheet, errors first within each."""
    from rich.markup import escape

    out = console()
    rank = list(Severity)
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.location.file or "", problem.location.sheet or ""), []).append(problem)
    left = MAX_LISTED_PROBLEMS
    for (file, sheet), members in groups.items():
        if left <= 0:
            break
        heading = _visible(" › ".join(part for part in (file, sheet) if part)) or say(GENERAL, lang)
        out.print(f"[bold]{escape(heading)}[/bold]")
        shown = sorted(members, key=lambda p: rank.index(p.severity))[:left]
        left -= len(shown)
        if out.is_terminal:
            out.print(_aligned(shown, lang))
        else:
            for problem in shown:
                out.print("  " + " ".join(filter(None, _parts(problem, lang))))
    if len(problems) > MAX_LISTED_PROBLEMS:
        out.print(say(MORE, lang, count=len(problems) - MAX_LISTED_PROBLEMS))


def _aligned(problems: Sequence[Problem], lang: str) -> Table:
    """Lay problems out in columns, so that long texts wrap below themselves."""
    from rich.table import Table

    table = Table.grid(padding=(0, 1, 0, 0))
    for ratio in (None, 1, 4):
        table.add_column(ratio=ratio, overflow="fold", no_wrap=ratio is None)
    for problem in problems:
        severity, place, text, code = _parts(problem, lang)
        table.add_row(f"  {severity}", place, f"{text} {code}")
    return table


def _parts(problem: Problem, lang: str) -> tuple[str, str, str, str]:
    """Return severity, place, text and code of a problem as rich markup."""
    from rich.markup import escape

    place = " ".join(part for part in (problem.location.cell, problem.location.field) if part)
    colour = COLOURS[problem.severity]
    text = _visible(problem.text(lang))
    word = say(SEVERITIES[problem.severity], lang)
    where = escape(f"{_visible(place)}:") if place else ""
    return f"[{colour}]{word}[/{colour}]", where, escape(text), f"[dim]{problem.code}[/dim]"


def _visible(text: str) -> str:
    """Show text from a workbook on one line, with control characters made harmless to a terminal."""
    return "".join(c if c.isprintable() or c == " " else f"\\u{ord(c):04x}" if c not in "\n\t" else " " for c in text)


def print_files(result: Consolidated, lang: str) -> None:
    """Print the table of files, projects and problems."""
    from rich.markup import escape
    from rich.table import Table

    counts: Counter[tuple[str, Severity]] = Counter()
    for problem in result.problems:
        counts[problem.location.file or "", problem.severity] += 1
    table = Table(box=None, pad_edge=False)
    table.add_column(say(FILE, lang), overflow="fold")
    for heading in (PROJECTS, ERRORS, WARNINGS, NOTES):
        table.add_column(say(heading, lang), justify="right")
    hidden = 0
    for file in result.files:
        numbers = [counts[file.file, severity] for severity in Severity]
        if len(result.files) > MAX_LISTED_FILES and not any(numbers[:2]):
            hidden += 1
            continue
        counted = (_count(n, s) for n, s in zip(numbers, Severity, strict=True))
        table.add_row(escape(_visible(file.file)), str(len(file.forms)), *counted)
    totals = [sum(p.severity is s for p in result.problems) for s in Severity]
    table.add_section()
    table.add_row(
        say(TOTAL, lang, files=len(result.files)),
        str(len(result.portfolio.projects)),
        *(_count(n, s) for n, s in zip(totals, Severity, strict=True)),
        style="bold",
    )
    out = console()
    out.print(table)
    if hidden:
        out.print(say(CLEAN, lang, count=hidden))
    if looks := sum(file.second_looks for file in result.files):
        out.print(say(LOOKS, lang, count=looks))


def print_marked(folder: Path, copies: Sequence[MarkedFile], lang: str) -> None:
    """Say how many submissions were marked."""
    marked = sum(copy.reason is None for copy in copies)
    say_error(say(MARKED, lang, path=folder, marked=marked, listed=len(copies) - marked))


def print_status(result: Status, lang: str) -> None:
    """Print who has returned what, on stdout: the table of units, then what is to be chased."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from kpixl.output.status.text import status_text

    terminal = sys.stdout.isatty()
    out = Console(highlight=False, soft_wrap=not terminal, width=None if terminal else 120)
    told = status_text(result, lang)
    table = Table(box=None, pad_edge=False)
    for number, heading in enumerate(told.headings):
        table.add_column(escape(heading), justify="right" if number else "left", overflow="fold", no_wrap=number > 0)
    for row in told.rows:
        table.add_row(*(escape(_visible(text)) for text in row))
    table.add_section()
    table.add_row(*told.totals, style="bold")
    out.print(f"[bold]{escape(_visible(told.title))}[/bold]")
    out.print(table)
    for block in told.blocks:
        out.print(f"\n[bold {COLOURS[block.severity]}]{escape(block.heading)}[/]")
        for indent, text in block.lines[:MAX_LISTED_PROBLEMS]:
            out.print(f"{'  ' * (indent + 1)}{escape(_visible(text))}")
        if len(block.lines) > MAX_LISTED_PROBLEMS:
            out.print(say(MORE, lang, count=len(block.lines) - MAX_LISTED_PROBLEMS))
    for text in told.end:
        out.print(f"\n{escape(text)}")


def _count(number: int, severity: Severity) -> str:
    return f"[{COLOURS[severity]}]{number}[/]" if number else "-"


@contextmanager
def progress(lang: str, doing: Text = READING) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on long runs when stderr is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # No refresh thread: worker processes are forked, and a fork with threads running is asking for trouble.
    with Progress(*columns, console=console(), auto_refresh=False, transient=True) as bar:
        task = bar.add_task(say(doing, lang), total=None, visible=False)

        def step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= PROGRESS_FROM, refresh=True)

        yield step


def print_json(data: object) -> None:
    """Print JSON data on stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def exit_code(problems: Iterable[Problem], strict: bool) -> int:
    """Return 1 where there are errors, or warnings under --strict; else 0."""
    found = {p.severity for p in problems}
    return int(Severity.ERROR in found or (strict and Severity.WARNING in found))
