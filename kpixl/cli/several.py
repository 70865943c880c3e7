"""`kpixl consolidate` with several forms: each gets its own set in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

from kpixl.cli import console
from kpixl.cli.console import exit_code
from kpixl.cli.help import lang_of
from kpixl.cli.shared import form_source, report_written
from kpixl.problems import Problem
from kpixl.texts import Text, say

_FOLDER: Text = ("给出几种表式时，-o 是文件夹。", "With several forms -o is a folder.")
_NO_SUMMARY: Text = (
    "给出几种表式时，汇总工作簿在各自的文件夹里，不用 --summary。",
    "With several forms each has its summary in its folder; --summary is of no use.",
)
_ONE: Text = ("只能给出一次，除非用 --form 给出几种表式。", "may be given once, unless there are several --form.")


@dataclass(frozen=True, slots=True)
class Several:
    """What was asked for on the command line: `out` is a folder, and `summary` whether there is to be one."""

    paths: Sequence[Path]
    out: Path
    form_ids: Sequence[str]
    rosters: Sequence[Path]
    summary: bool


def only(ctx: click.Context, values: Sequence[Any], name: str) -> Any:
    """Return the value of an option that may be given once; None where it is not."""
    if len(set(values)) > 1:
        raise click.BadParameter(say(_ONE, lang_of(ctx)), ctx, _parameter(ctx, name))
    return values[0] if values else None


def refuse_paths_of_one(ctx: click.Context, out: Path, summary: Path | None) -> None:
    """Refuse paths that are those of one form."""
    if summary is not None:
        raise click.BadParameter(say(_NO_SUMMARY, lang_of(ctx)), ctx, _parameter(ctx, "summary"))
    if out.suffix.lower() in (".yaml", ".yml") or out.is_file():
        raise click.BadParameter(say(_FOLDER, lang_of(ctx)), ctx, _parameter(ctx, "out"))


def _parameter(ctx: click.Context, name: str) -> click.Parameter:
    return next(parameter for parameter in ctx.command.params if parameter.name == name)


def consolidate_several(
    ctx: click.Context, wanted: Several, options: Mapping[str, Any], *, dry_run: bool, as_json: bool, strict: bool
) -> int:
    """Read once, write the set of each form. `options`: bounds, and who reads."""
    from kpixl.disk import turn
    from kpixl.forms.load import load_form
    from kpixl.output.several import collect_several, places_in, write_several
    from kpixl.portfolio import canonical

    lang, today = lang_of(ctx), date.today()
    forms = [load_form(form_id, ctx.obj) for form_id in wanted.form_ids]
    rosters = [(path, canonical.load(path, form_source(ctx))[1]) for path in wanted.rosters]
    places = places_in(wanted.out, forms, rosters)
    with ExitStack() as held:
        for place in () if dry_run else places:
            held.enter_context(turn(place.folder))
        runs = collect_several(wanted.paths, places, inputs=wanted.rosters, today=today, **options)
        if dry_run:
            return _would_change(ctx, runs, wanted.paths, as_json=as_json, strict=strict)
        written, problems = write_several(runs, summary=wanted.summary, lang=lang, today=today)
    _show(runs, problems, written, lang, as_json=as_json)
    report_written(ctx, written)
    return exit_code(problems, strict)


def _show(
    runs: Sequence[Any], problems: Sequence[Problem], written: Sequence[Any], lang: str, *, as_json: bool
) -> None:
    from kpixl.collection.consolidate import report_data

    if as_json:
        parts = [report_data(run.collection, run.problems, _of(run, written), lang) for run in runs]
        console.print_json({"forms": parts})
    else:
        console.print_problems(problems, lang)
        console.print_forms([run.collection for run in runs], lang)


def _of(run: Any, written: Sequence[Any]) -> list[Any]:
    return [one for one in written if one.path.parent == run.place.folder]


def _would_change(
    ctx: click.Context, runs: Sequence[Any], paths: Sequence[Path], *, as_json: bool, strict: bool
) -> int:
    """Show form by form how what was read differs from the portfolio that is there."""
    from kpixl.cli.compare import change_data, would_change

    if as_json:
        lang = lang_of(ctx)
        parts = [change_data(run.collection, run.problems, paths, run.place.portfolio, lang) for run in runs]
        console.print_json({"forms": parts})
        return exit_code([problem for run in runs for problem in run.problems], strict)
    return max(
        would_change(ctx, run.collection, run.problems, paths, run.place.portfolio, as_json=False, strict=strict)
        for run in runs
    )
