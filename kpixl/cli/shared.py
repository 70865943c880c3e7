"""What several commands share: options, loading forms and portfolios, reporting what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpixl.cli.console import print_problems, wrote
from kpixl.cli.help import lang_of, option
from kpixl.problems import Problem

if TYPE_CHECKING:
    from kpixl.collection.folder import Folder, Rosters

PATH = click.Path(path_type=Path)
FORM = option("--form", "form_id", text=("表式，见 kpixl forms。", "The form, see kpixl forms."))
OUT: Any = {"type": PATH}
JSON = option("--json", "as_json", is_flag=True, text=("在标准输出给出 JSON 报告。", "Report as JSON on stdout."))
HTML = option("--html", type=PATH, text=("另写出网页。", "Write an HTML page too."))
BY = option("--by", metavar="FIELD", text=("按哪个字段分单位。", "The field by which to group; by default the unit."))
DUE = option(
    "--due",
    metavar="DATE",
    type=click.DateTime(("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")),
    text=(
        '截止日期或时间，如 2026-11-20 或 "2026-11-20 17:00"；之后收到的标为迟交。',
        'Due date (and time), 2026-11-20 or "2026-11-20 17:00"; what came later is shown as late.',
    ),
)
STRICT = option("--strict", is_flag=True, text=("有警告时退出码也为 1。", "Exit with 1 on warnings too."))

JOBS = option(
    "--jobs",
    type=click.IntRange(0, 256),
    metavar="N",
    text=(
        "用几个进程读取，默认等于处理器数；0 在本进程中读取。",
        "How many processes read files, by default one per processor; 0 reads in this one.",
    ),
)
SCHEDULER = option(
    "--scheduler",
    metavar="ADDRESS",
    text=(
        "由此地址的 Dask 集群读取，如 tcp://127.0.0.1:8786；需要 pip install 'kpixl[dask]'。",
        "Read on the Dask cluster of this address, such as tcp://127.0.0.1:8786; needs pip install 'kpixl[dask]'.",
    ),
)


def read_with(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command that reads many files: `jobs` and `scheduler` are then what `reading` takes."""
    decorated: Callable[..., Any] = JOBS(SCHEDULER(command))
    return decorated


@contextmanager
def reading(ctx: click.Context, jobs: int | None, scheduler: str | None) -> Iterator[dict[str, Any]]:
    """Yield who reads and how progress is shown, as keywords of the functions that read files."""
    from kpixl.cli import console

    with console.progress(lang_of(ctx)) as progress:
        if scheduler is None:
            yield {"workers": jobs, "progress": progress}
            return
        from kpixl.collection.cluster import cluster

        with cluster(scheduler) as executor:
            yield {"workers": executor, "progress": progress}


def chosen_form(ctx: click.Context, form_id: str | None) -> Any:
    """Load the form asked for; when none is, the one marked as default, or the first."""
    from kpixl.forms.load import load_form, load_forms

    if form_id:
        return load_form(form_id, ctx.obj)
    known = [*load_forms(ctx.obj).values()]
    return next((form for form in known if form.default), known[0]) if known else load_form("", ctx.obj)


def form_source(ctx: click.Context) -> Any:
    """Return the function that loads the form a portfolio names."""
    from kpixl.forms.load import load_form

    return lambda form_id: load_form(form_id, ctx.obj)


def load_portfolio(ctx: click.Context, path: Path) -> tuple[Any, Any]:
    """Load a portfolio and its form; warn where the run that wrote it was killed half-way."""
    from kpixl.disk import unfinished
    from kpixl.portfolio import canonical

    form, content = canonical.load(path, form_source(ctx))
    report(ctx, unfinished(path))
    return form, content


def folder_of(ctx: click.Context) -> Folder | None:
    """Open the collection folder that -C names, or this one where it is one."""
    from kpixl.collection.folder import find_folder, open_folder

    named: Path | None = ctx.meta.get("kpixl.folder")
    return find_folder(Path()) if named is None else open_folder(named)


def needed_folder(ctx: click.Context, name: str) -> Folder:
    """Open the collection folder from which a command takes what was not given on the command line.

    `name`: of the parameter that is missing where there is no such folder.
    """
    folder: Folder = given(ctx, folder_of(ctx), name)
    return folder


def given(ctx: click.Context, value: Any, name: str) -> Any:
    """Return a value of the command line that has no default outside of a collection folder."""
    if value is None:
        raise click.MissingParameter(ctx=ctx, param=next(p for p in ctx.command.params if p.name == name))
    return value


def load_rosters(ctx: click.Context, folder: Folder) -> Rosters:
    """Load the rosters of a collection folder, as it is and as it was sent."""
    from kpixl.collection.folder import load_rosters
    from kpixl.forms.load import load_forms

    return load_rosters(folder, load_forms(ctx.obj))


def portfolio_of(ctx: click.Context, named: Path | None) -> Path:
    """Return the portfolio that was named, else that of the collection folder, else the only one in this folder."""
    from kpixl.collection.sources import only_portfolio

    if named is not None:
        return named
    folder = folder_of(ctx)
    return only_portfolio(Path()) if folder is None else folder.paths["portfolio"]


def report_written(ctx: click.Context, written: Sequence[Any]) -> None:
    """Name the files that were written."""
    for path, changed in written:
        wrote(path, changed, lang_of(ctx))


def report(ctx: click.Context, problems: Sequence[Problem]) -> None:
    """Print problems, where there are any."""
    if problems:
        print_problems(problems, lang_of(ctx))


def load_picks(summary: Path) -> list[Any]:
    """Read what the office has chosen in a summary; where there is none, nothing is loaded for it."""
    if not summary.is_file():
        return []
    from kpixl.output.summary.choices import read_picks

    picks: list[Any] = read_picks(summary)
    return picks
