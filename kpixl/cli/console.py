"""What people see of a run: tables and problems on stderr, JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kpixl.problems import Problem, Severity
from kpixl.problems.words import SEVERITY_COUNTS, SEVERITY_WORDS
from kpixl.texts import Text, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from kpixl.collection.model import Collection, Since
    from kpixl.collection.trace import Origin, Trace
    from kpixl.collection.verify import Verified
    from kpixl.output.annotate import MarkedFile
    from kpixl.output.diff.text import DiffLine
    from kpixl.output.letters import WrittenLetter
    from kpixl.output.status import Status
    from kpixl.output.status.text import StatusText

MAX_LISTED_FILES = 60  # above that only files with something to say are listed
MAX_LISTED_PROBLEMS = 400  # above that they are listed by kind
EXAMPLES = 3  # of each kind then
PROGRESS_FROM = 20  # files

FILE: Text = ("文件", "File")
PROJECTS: Text = ("项目", "Projects")
TOTAL: Text = ("合计 {files} 个文件", "files in all: {files}")
WORSE: Text = ("……另有 {count} 个有错误或警告的文件", "... {count} more with errors or warnings")
CLEAN: Text = ("……另有 {count} 个没有错误和警告的文件", "... {count} more without errors or warnings")
MORE: Text = ("……另有 {count} 条，见 --json。", "... {count} more, see --json.")
BY_KIND: Text = ("问题较多，按种类列出：", "There are many problems; they are listed by kind:")
KIND: Text = ("{count} 条，{files} 个文件", "{count} in all; files: {files}")
TOTALS: Text = (
    "共有错误 {error} 条，警告 {warning} 条，提示 {info} 条。",
    "In all: errors {error}, warnings {warning}, notes {info}.",
)
WROTE: Text = ("已写出 {path}", "wrote {path}")
UNCHANGED: Text = ("内容未变 {path}", "unchanged {path}")
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
KIND_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}
MARKED: Text = (
    "标注副本写入 {path}：{marked} 个文件已标注，{listed} 个只列出问题清单。",
    "Copies to send back are in {path}: marked {marked}, only listed {listed}.",
)
NO_CELL: Text = ("（没有单元格：由其他数据算出或补上）", "(no cell: it follows from other values)")
BY_MAIL: Text = ("邮件 {time} 收到，发件人 {sender}", "by mail, received {time}, from {sender}")
NO_TIME: Text = ("（时间不详）", "(time not known)")
NO_SENDER: Text = ("（不详）", "(not known)")
TYPED: Text = ("原文“{raw}”", "typed “{raw}”")
DECIDED: Text = ("单位决定（{by} {date}）：{reason}", "decided by the office ({by} {date}): {reason}")
VERIFIED: Text = (
    "{files} 个文件，{cells} 个填写的单元格：{parts}。",
    "Files: {files}; filled cells: {cells}: {parts}.",
)
FATES: dict[str, Text] = {
    "result": ("在汇总数据中 {count}", "in the result {count}"),
    "same": ("重复提交且相同 {count}", "returned again and equal {count}"),
    "conflict": ("在冲突中 {count}", "in a conflict {count}"),
    "quoted": ("在问题中提到 {count}", "quoted in a problem {count}"),
    "not-taken": ("未采用并已报告 {count}", "not taken, and reported {count}"),
    "template": ("模板原有 {count}", "the template's own {count}"),
    "lost": ("没有着落 {count}", "nowhere {count}"),
}
ALL_VERIFIED: Text = ("全部相符。", "Everything agrees.")
NOT_VERIFIED: Text = ("有 {count} 处不符，见上。", "Does not agree: {count}, see above.")
SINCE: Text = (
    "自 {name} 以来：上次已有、未再列出 {known} 条，已解决 {resolved} 条。",
    "Since {name}: known and not listed again {known}, resolved {resolved}.",
)
DRY_RUN: Text = ("试运行，没有写出任何文件。", "Dry run: nothing was written.")
NOT_READ: Text = ("无法读取", "Not read")
MISSING: Text = ("未交回", "Missing")
NO_ADDRESS: Text = ("（收件人未知）", "(no address)")
NO_LETTERS: Text = ("没有需要写信的单位。", "There is no unit to write to.")
WRITING: Text = ("写信", "Writing letters")
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
    """Print that an output was written, or was already right."""
    say_error(say(WROTE if changed else UNCHANGED, lang, path=path))


def print_problems(problems: Sequence[Problem], lang: str) -> None:
    """Print problems by file and sheet, errors first within each; very many by kind, with some examples."""
    if len(problems) > MAX_LISTED_PROBLEMS:
        _print_kinds(problems, lang)
        return
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.location.file or "", problem.location.sheet or ""), []).append(problem)
    out = console()
    for (file, sheet), members in groups.items():
        _print_heading(out, " › ".join(part for part in (file, sheet) if part) or say(GENERAL, lang))
        _print_list(out, [_parts(problem, lang) for problem in sorted(members, key=_rank)])


def _print_kinds(problems: Sequence[Problem], lang: str) -> None:
    """Print problems by kind, errors and the commonest kind first, and at last how many there are."""
    kinds: dict[tuple[int, str], list[Problem]] = {}
    for problem in problems:
        kinds.setdefault((_rank(problem), problem.code), []).append(problem)
    out = console()
    out.print(say(BY_KIND, lang))
    for (rank, code), members in sorted(kinds.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1])):
        severity = list(Severity)[rank]
        files = len({problem.location.file for problem in members})
        counted = say(KIND, lang, count=f"{len(members):,}", files=f"{files:,}")
        _print_heading(out, f"{say(SEVERITY_WORDS[severity], lang)} {code} · {counted}", COLOURS[severity])
        _print_list(out, [_example(problem, lang) for problem in members[:EXAMPLES]])
        if len(members) > EXAMPLES:
            out.print("  " + say(MORE, lang, count=f"{len(members) - EXAMPLES:,}"))
    counts = Counter(problem.severity for problem in problems)
    out.print(say(TOTALS, lang, **{str(severity): f"{counts[severity]:,}" for severity in Severity}), style="bold")


def _rank(problem: Problem) -> int:
    return list(Severity).index(problem.severity)


def _print_heading(out: Console, heading: str, colour: str = "") -> None:
    from rich.text import Text as DiffLine

    out.print(DiffLine(on_one_line(heading), style=f"bold {colour}".strip()))


def _print_list(out: Console, parts: Sequence[tuple[str, ...]]) -> None:
    if out.is_terminal:
        out.print(_aligned(parts))
    else:
        for part in parts:
            out.print("  " + " ".join(filter(None, part)))


def _example(problem: Problem, lang: str) -> tuple[str, str, str]:
    """Return place, text and nothing more of a problem whose kind is in the heading, as rich markup."""
    from rich.markup import escape

    place = on_one_line(str(problem.location) or say(GENERAL, lang))
    return "", escape(f"{place}:"), escape(on_one_line(problem.text(lang)))


def _aligned(parts: Sequence[tuple[str, ...]]) -> Table:
    """Lay problems out in columns, so that long texts wrap below themselves."""
    from rich.table import Table

    table = Table.grid(padding=(0, 1, 0, 0))
    for ratio in (None, 1, 4):
        table.add_column(ratio=ratio, overflow="fold", no_wrap=ratio is None)
    for severity, place, *text in parts:
        table.add_row(f"  {severity}", place, " ".join(text))
    return table


def _parts(problem: Problem, lang: str) -> tuple[str, str, str, str]:
    """Return severity, place, text and code of a problem as rich markup."""
    from rich.markup import escape

    place = " ".join(part for part in (problem.location.address, problem.location.field) if part)
    colour = COLOURS[problem.severity]
    text = on_one_line(problem.text(lang))
    word = say(SEVERITY_WORDS[problem.severity], lang)
    where = escape(f"{on_one_line(place)}:") if place else ""
    return f"[{colour}]{word}[/{colour}]", where, escape(text), f"[dim]{problem.code}[/dim]"


def on_one_line(text: str) -> str:
    """Show text from a workbook on one line, with control characters made harmless to a terminal."""
    return "".join(c if c.isprintable() or c == " " else f"\\u{ord(c):04x}" if c not in "\n\t" else " " for c in text)


class _FileRow(NamedTuple):
    """A row of the table of files; `counts`: of errors, warnings and notes."""

    name: str
    projects: int
    counts: tuple[int, ...]


def _together(rows: Sequence[_FileRow], name: str) -> _FileRow:
    return _FileRow(name, sum(r.projects for r in rows), tuple(map(sum, zip(*(r.counts for r in rows), strict=True))))


def _shortened(rows: Sequence[_FileRow], lang: str) -> Iterator[_FileRow]:
    """Yield the first rows with errors or warnings, those with projects first, then all others in a row or two."""
    bad = sorted((row for row in rows if any(row.counts[:2])), key=lambda row: not row.projects)
    clean = [row for row in rows if not any(row.counts[:2])]
    yield from bad[:MAX_LISTED_FILES]
    for rest, text in ((bad[MAX_LISTED_FILES:], WORSE), (clean, CLEAN)):
        if rest:
            yield _together(rest, say(text, lang, count=f"{len(rest):,}"))


def print_files(result: Collection, lang: str) -> None:
    """Print the table of files, projects and problems."""
    from rich.markup import escape
    from rich.table import Table

    counts: Counter[tuple[str, Severity]] = Counter()
    for problem in result.problems:
        counts[problem.location.file or "", problem.severity] += 1
    table = Table(box=None, pad_edge=False)
    table.add_column(say(FILE, lang), overflow="fold")
    for heading in (PROJECTS, *SEVERITY_COUNTS.values()):
        table.add_column(say(heading, lang), justify="right")
    rows = [_FileRow(f.file, f.count(result.form.id), tuple(counts[f.file, s] for s in Severity)) for f in result.files]
    for row in rows if len(rows) <= MAX_LISTED_FILES else _shortened(rows, lang):
        counted = (_count(n, s) for n, s in zip(row.counts, Severity, strict=True))
        table.add_row(escape(on_one_line(row.name)), str(row.projects), *counted)
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
    if looks := sum(file.second_looks for file in result.files):
        out.print(say(LOOKS, lang, count=looks))


def print_forms(results: Sequence[Collection], lang: str) -> None:
    """Print the files of each of several forms below its title."""
    from rich.markup import escape

    for result in results:
        console().print(f"\n{escape(f'{result.form.title} ({result.form.id})')}")
        print_files(result, lang)


def print_marked(folder: Path, copies: Sequence[MarkedFile], lang: str) -> None:
    """Print how many submissions were marked."""
    marked = sum(copy.reason is None for copy in copies)
    say_error(say(MARKED, lang, path=folder, marked=marked, listed=len(copies) - marked))


def print_letters(written: Sequence[WrittenLetter], lang: str) -> None:
    """Print to whom letters were written, and about how much."""
    for one in written:
        letter = one.letter
        counts = (len(letter.errors), len(letter.warnings), len(letter.unread), len(letter.missing))
        named = zip((*[*SEVERITY_COUNTS.values()][:2], NOT_READ, MISSING), counts, strict=True)
        told = " · ".join(f"{say(text, lang)} {count}" for text, count in named if count)
        to = ", ".join(letter.to) or say(NO_ADDRESS, lang)
        wrote(Path(on_one_line(f"{one.draft} → {to}{f'  {told}' if told else ''}")), one.changed, lang)
    if not written:
        say_error(say(NO_LETTERS, lang))


def print_trace(found: Trace, lang: str) -> None:
    """Print on stdout where the values of a project came from, a line each."""
    from rich.console import Console
    from rich.markup import escape

    from kpixl.collection.trace import shown_value

    terminal = sys.stdout.isatty()
    out = Console(highlight=False, soft_wrap=not terminal, width=None if terminal else 120)
    sheets = {(origin.place.file, origin.place.sheet) for origin in found.origins if origin.place.cell}
    # A project comes from one sheet as a rule: then it is named once, and of each value only the cell.
    common = [" › ".join(filter(None, sheets.pop()))] if len(sheets) == 1 else []
    out.print(f"[bold]{escape(on_one_line('  '.join([found.project.id, found.name, *common])))}[/bold]")
    for file, mail in found.mails.items():
        received = f"{mail.received:%Y-%m-%d %H:%M}" if mail.received is not None else say(NO_TIME, lang)
        named = "" if common else f"{file}: "
        told = named + say(BY_MAIL, lang, time=received, sender=mail.sender or say(NO_SENDER, lang))
        out.print(f"  {escape(on_one_line(told))}")
    for row, origins in groupby(found.origins, key=attrgetter("row")):
        if row:
            out.print(f"  [bold]{escape(on_one_line(row))}[/bold]")
        for origin in origins:
            place, *said = _origin_texts(origin, lang, short=bool(common))
            parts = [
                escape(on_one_line(f"{'    ' if row else '  '}{origin.label}: {shown_value(origin)}")),
                f"[dim]{escape(on_one_line(place))}[/dim]",
                *map(escape, map(on_one_line, said)),
                *(f"[dim]← {escape(on_one_line(str(place)))}[/dim]" for place in origin.through),
            ]
            out.print("  ".join(parts))


def _origin_texts(origin: Origin, lang: str, *, short: bool) -> list[str]:
    """Return where a value came from, what was typed there, and who decided it. `short`: the cell alone."""
    cell, made = origin.place.address, origin.decision
    place = say(NO_CELL, lang) if cell is None else cell if short else str(origin.place)
    typed = [] if origin.raw is None else [say(TYPED, lang, raw=origin.raw)]
    if made is None:
        return [place, *typed]
    decided = say(DECIDED, lang, by=made.by, date=made.date, reason=made.reason or "-")
    return [place if cell else "", *typed, decided]


def print_verified(found: Verified, lang: str) -> None:
    """Print on stdout what became of the filled cells of the returned files."""
    cells = found.account.cells
    counted = "，" if lang == "zh" else ", "
    parts = [say(FATES[fate], lang, count=count) for fate, count in sorted(cells.items(), key=lambda c: -c[1])]
    print(say(VERIFIED, lang, files=found.files, cells=sum(cells.values()), parts=counted.join(parts)))
    print(say(NOT_VERIFIED, lang, count=len(found.problems)) if found.problems else say(ALL_VERIFIED, lang))


def print_since(since: Since, lang: str) -> None:
    """Print how many findings of an earlier check are there still, and how many are not."""
    say_error(say(SINCE, lang, name=since.name, known=len(since.known), resolved=len(since.resolved)))


def print_status(result: Status, lang: str) -> None:
    """Print who has returned what, on stdout: the table of units, then what is to be chased."""
    from rich.console import Console
    from rich.markup import escape

    from kpixl.output.status.text import status_text

    terminal = sys.stdout.isatty()
    out = Console(highlight=False, soft_wrap=not terminal, width=None if terminal else 120)
    told = status_text(result, lang)
    out.print(f"[bold]{escape(on_one_line(told.title))}[/bold]")
    out.print(_units(told))
    for block in told.blocks:
        out.print(f"\n[bold {COLOURS[block.severity]}]{escape(block.heading)}[/]")
        for indent, text in block.lines[:MAX_LISTED_PROBLEMS]:
            out.print(f"{'  ' * (indent + 1)}{escape(on_one_line(text))}")
        if len(block.lines) > MAX_LISTED_PROBLEMS:
            out.print(say(MORE, lang, count=len(block.lines) - MAX_LISTED_PROBLEMS))
    for text in told.end:
        out.print(f"\n{escape(text)}")


def print_units(result: Status, lang: str) -> None:
    """Print the table of units alone, on stderr."""
    from kpixl.output.status.text import status_text

    console().print(_units(status_text(result, lang)))


def _units(told: StatusText) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for number, heading in enumerate(told.headings):
        table.add_column(escape(heading), justify="right" if number else "left", overflow="fold", no_wrap=number > 0)
    for row in told.rows:
        table.add_row(*(escape(on_one_line(text)) for text in row))
    table.add_section()
    table.add_row(*told.totals, style="bold")
    return table


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on stdout; what is longer than its column goes on below."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(on_one_line(text)) for text in row))
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


def print_lines(lines: Iterable[DiffLine], *, to_stderr: bool = False) -> None:
    """Print what differs on stdout, in colours on a terminal."""
    from rich.console import Console
    from rich.markup import escape

    terminal = sys.stdout.isatty()
    out = Console(highlight=False, soft_wrap=not terminal, width=None if terminal else 120)
    out = console() if to_stderr else out
    for line in lines:
        text = escape("  " * line.indent + on_one_line(line.text))
        style = "bold" if line.kind is None else KIND_COLOURS[line.kind]
        out.print(f"[{style}]{text}[/{style}]")


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
