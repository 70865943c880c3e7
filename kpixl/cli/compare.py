"""`kpixl diff`, and what `kpixl consolidate --dry-run` shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from kpixl.cli.console import exit_code, say_error
from kpixl.cli.help import Command, folder_option, lang_of, limit_option, option
from kpixl.cli.shared import FORM, JSON, PATH, chosen_form, needed_folder, report, report_written
from kpixl.problems import Problem, Severity
from kpixl.texts import say


@click.command(
    cls=Command,
    text=(
        "比较两个版本：逐项目、逐项、逐条指标列出不同。\n\n"
        "A、B 可以是 YAML（项目名册、汇总数据、去年的数据）、收回文件的文件夹，或一个收回的文件。次序移动的行不算改动；"
        "金额给出差额和百分比。在收表文件夹中，B 默认为汇总数据，A 默认为发出时的项目名册。"
        "退出码：0 相同，1 有不同，2 用法有误，3 无法继续。",
        "Compare two versions: what differs, by project, field and indicator.\n\nA and B are each a YAML file (roster, "
        "portfolio, last year's), a folder of returned files, or one of them. A row that only moved is no change; "
        "amounts are shown with difference and per cent. In a collection folder B is the portfolio and A the roster as "
        "it was sent, by default. Exit code: 0 equal, 1 different, 2 usage, 3 cannot go on.",
    ),
)
@click.argument("old", type=PATH, required=False, metavar="[A]")
@click.argument("new", type=PATH, required=False, metavar="[B]")
@option("-o", "--output", "out", type=PATH, text=("另写出带颜色的工作簿。", "Write a coloured workbook too."))
@folder_option
@FORM
@limit_option
@JSON
@click.pass_context
def diff(
    ctx: click.Context,
    old: Path | None,
    new: Path | None,
    out: Path | None,
    form_id: str | None,
    limits: Any,
    as_json: bool,
) -> int:
    from kpixl.cli import console
    from kpixl.collection.sides import load_sides
    from kpixl.disk import check_target, refuse_overlap
    from kpixl.forms.load import load_forms
    from kpixl.portfolio.diff import diff

    lang = lang_of(ctx)
    if old is None or new is None:
        folder = needed_folder(ctx, "new" if old else "old")
        old, new = old or folder.base, folder.paths["portfolio"]
    if out is not None:
        check_target(out, ".xlsx")
        refuse_overlap([out], [old, new])
    forms = [chosen_form(ctx, form_id)] if form_id else list(load_forms(ctx.obj).values())
    with console.progress(lang) as progress:
        form, first, second = load_sides(old, new, forms, limits=limits, progress=progress)
    problems = [p for p in (*first.problems, *second.problems) if p.severity is not Severity.INFO]
    report(ctx, problems)
    found = diff(form, first.portfolio, second.portfolio)
    refused = _show_diff(ctx, found, first, second, out, as_json=as_json)
    return max(int(bool(found.projects)), exit_code(refused, False))


def would_change(
    ctx: click.Context,
    result: Any,
    problems: Sequence[Problem],
    paths: Sequence[Path],
    out: Path,
    *,
    as_json: bool,
    strict: bool,
) -> int:
    """Show what was read, and how it differs from the portfolio that is there; write nothing.

    `problems`: of what was read, and of what the office decided.
    """
    from kpixl.cli import console

    lang = lang_of(ctx)
    if as_json:
        console.print_json(change_data(result, problems, paths, out, lang))
    else:
        found, old, new = _compared(result, paths, out)
        console.print_problems(problems, lang)
        console.print_files(result, lang)
        _show_diff(ctx, found, old, new, None, as_json=False)
    say_error(say(console.DRY_RUN, lang))
    return exit_code(problems, strict)


def change_data(
    result: Any, problems: Sequence[Problem], paths: Sequence[Path], out: Path, lang: str
) -> dict[str, Any]:
    """Return as data what was read, and how it differs from the portfolio that is there."""
    from kpixl.collection.consolidate import report_data
    from kpixl.output.diff.text import diff_data

    return {**report_data(result, problems, (), lang), "diff": diff_data(*_compared(result, paths, out))}


def _compared(result: Any, paths: Sequence[Path], out: Path) -> tuple[Any, Any, Any]:
    """Compare what was read with the portfolio that is there: the differences, and both sides."""
    from kpixl.collection.sides import existing_side, result_side
    from kpixl.portfolio.diff import diff

    old, new = existing_side(out, result.form), result_side(result, " ".join(map(str, paths)))
    return diff(result.form, old.portfolio, new.portfolio), old, new


def _show_diff(
    ctx: click.Context, found: Any, old: Any, new: Any, out: Path | None, *, as_json: bool
) -> Sequence[Problem]:
    """Print what differs, as text or JSON, and write the workbook that was asked for; return what hindered that."""
    from kpixl.cli import console
    from kpixl.output.diff.text import diff_data, diff_lines

    if as_json:
        console.print_json(diff_data(found, old, new))
    else:
        console.print_lines(diff_lines(found, old, new, lang_of(ctx)))
    if out is None:
        return ()
    from kpixl.disk import commit
    from kpixl.output.diff.workbook import diff_output

    output = diff_output(found, old, new, out, lang_of(ctx))
    written, refused = commit([output], lang=lang_of(ctx), today=date.today())
    report(ctx, refused)
    report_written(ctx, written)
    return refused
