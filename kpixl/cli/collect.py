"""What comes back: `kpixl consolidate` and `kpixl status`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from kpixl.cli import console
from kpixl.cli.compare import would_change
from kpixl.cli.console import exit_code
from kpixl.cli.help import Command, folder_option, lang_of, limit_option, option
from kpixl.cli.several import Several, consolidate_several, only, refuse_paths_of_one
from kpixl.cli.shared import (
    BY,
    DUE,
    HTML,
    JSON,
    OUT,
    PATH,
    STRICT,
    chosen_form,
    form_source,
    given,
    load_picks,
    load_rosters,
    needed_folder,
    read_with,
    reading,
    report,
    report_written,
)
from kpixl.cli.show_round import show_round


@click.command(
    cls=Command,
    text=(
        "读取收回的文件，写出 YAML 和汇总表，列出问题。\n\n"
        "可以给出文件和文件夹（含子文件夹）。在收表文件夹中不用写任何参数：同时写出收表情况和批注副本，并列出与上次"
        "相比的变化。退出码：0 没有错误，1 有错误，2 用法有误，3 无法继续。",
        "Read what came back; write the YAML file and the summary, list the problems.\n\nTakes files and folders "
        "(searched recursively). In a collection folder it needs no arguments: it also writes the status and annotated "
        "copies, and lists what changed since the last run. Exit code: 0 no errors, 1 errors, 2 usage, 3 cannot go on.",
    ),
)
@click.argument("paths", type=PATH, nargs=-1, metavar="[PATH]...")
@option("-o", "--output", "out", **OUT, text=("汇总数据（YAML）。", "The consolidated data (YAML)."))
@folder_option
@option(
    "--summary", type=PATH, text=("汇总工作簿，默认与 YAML 同名。", "The summary workbook; by default beside the YAML.")
)
@option("--no-summary", is_flag=True, text=("不生成汇总工作簿。", "Do not make the summary workbook."))
@option(
    "--dry-run",
    is_flag=True,
    text=("只列出与现有 YAML 的不同，不写出任何文件。", "Show what would change in the YAML file; write nothing."),
)
@option(
    "--roster",
    "roster_paths",
    type=PATH,
    multiple=True,
    text=(
        "项目名册，用于核对编号和缺交；几种表式各一份。",
        "The roster, to match ids and find who is missing; with several forms one for each.",
    ),
)
@option(
    "--form",
    "form_ids",
    multiple=True,
    text=(
        "表式，见 kpixl forms。给出几种时，-o 是文件夹，每种表式的结果在其中各自的文件夹里。",
        "The form, see kpixl forms. With several of them -o is a folder, and each form has its own set there.",
    ),
)
@limit_option
@read_with
@JSON
@STRICT
@click.pass_context
def consolidate(
    ctx: click.Context,
    paths: tuple[Path, ...],
    out: Path | None,
    summary: Path | None,
    no_summary: bool,
    dry_run: bool,
    roster_paths: tuple[Path, ...],
    form_ids: tuple[str, ...],
    limits: Any,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
    strict: bool,
) -> int:
    from kpixl.cli import console
    from kpixl.collection.consolidate import consolidate, office_of, report_data, write_consolidated
    from kpixl.collection.decisions import decisions_path
    from kpixl.collection.hand_edits import written_path
    from kpixl.collection.sources import sources_path
    from kpixl.disk import check_target, turn
    from kpixl.files import workbook_ending
    from kpixl.forms.load import load_forms
    from kpixl.portfolio import canonical

    lang = lang_of(ctx)
    if not paths and out is None and summary is None and not roster_paths and not form_ids:
        with reading(ctx, jobs, scheduler) as who:
            return _consolidate_folder(ctx, {"limits": limits, **who}, dry_run=dry_run, as_json=as_json, strict=strict)
    paths, out = given(ctx, paths or None, "paths"), given(ctx, out, "out")
    if len(set(form_ids)) > 1:
        refuse_paths_of_one(ctx, out, summary)
        with reading(ctx, jobs, scheduler) as who:
            wanted = Several(paths, out, [*dict.fromkeys(form_ids)], roster_paths, summary=not no_summary)
            return consolidate_several(
                ctx, wanted, {"limits": limits, **who}, dry_run=dry_run, as_json=as_json, strict=strict
            )
    form_id, roster_path = only(ctx, form_ids, "form_ids"), only(ctx, roster_paths, "roster_paths")
    check_target(out)
    targets = [out] if no_summary else [out, summary or out.with_suffix(".xlsx")]
    if not no_summary:
        check_target(targets[1], workbook_ending(targets[1]))
    forms = [chosen_form(ctx, form_id)] if form_id else list(load_forms(ctx.obj).values())
    roster = canonical.load(roster_path, form_source(ctx))[1] if roster_path else None
    with nullcontext() if dry_run else turn(out.absolute().parent):
        picks = load_picks(targets[1]) if not no_summary else []
        office = office_of(out, picks, today=date.today())
        with reading(ctx, jobs, scheduler) as who:
            result = consolidate(
                paths,
                forms,
                roster=roster,
                limits=limits,
                inputs=[roster_path] if roster_path else [],
                outputs=[*targets, sources_path(out), decisions_path(out), written_path(out)],
                decided=office,
                **who,
            )
        if dry_run:
            problems = (*office.problems, *result.problems)
            return would_change(ctx, result, problems, paths, out, as_json=as_json, strict=strict)
        written, problems = write_consolidated(result, *targets, lang=lang, today=date.today(), drafts=office.drafts)
    problems = (*office.problems, *problems)
    if as_json:
        console.print_json(report_data(result, problems, written, lang))
    else:
        console.print_problems(problems, lang)
        console.print_files(result, lang)
    report_written(ctx, written)
    return exit_code(problems, strict)


def _consolidate_folder(
    ctx: click.Context, options: Mapping[str, Any], *, dry_run: bool, as_json: bool, strict: bool
) -> int:
    """Run over a collection folder. `options`: bounds, and who reads."""
    from kpixl.disk import turn
    from kpixl.forms.load import load_forms
    from kpixl.output.round import collect_round, write_round
    from kpixl.output.several import further_places

    lang, folder, today = lang_of(ctx), needed_folder(ctx, "paths"), date.today()
    known = load_forms(ctx.obj)
    rosters, forms, further = load_rosters(ctx, folder), list(known.values()), further_places(folder, known)
    with nullcontext() if dry_run else turn(folder.root):
        picks = load_picks(folder.paths["summary"])
        found = collect_round(folder, rosters, forms, further=further, picks=picks, today=today, **options)
        if dry_run:
            paths, out = [folder.paths["returned"]], folder.paths["portfolio"]
            return would_change(ctx, found.collection, found.problems, paths, out, as_json=as_json, strict=strict)
        done = write_round(found, limits=options["limits"], lang=lang, today=today, extra=ctx.obj)
    show_round(ctx, found, done, as_json=as_json)
    return exit_code(done.problems, strict)


@click.command(
    cls=Command,
    text=(
        "对照项目名册，逐单位、逐项目说明收表情况。\n\n列出交回无误、交回有误（与 kpixl check 的错误一致）、无需申报、"
        "未交回的项目，以及重复提交、迟交和无法读取的文件。退出码：0 全部交回且没有错误，1 有未交回、有误或无法读取的，"
        "2 用法有误，3 无法继续。",
        "Who has returned what, by unit and project, against the roster.\n\nReturned, with errors (as kpixl check "
        "finds them), nothing to report, missing; returned twice, late, and files that cannot be read. Exit code: 0 "
        "everything is in without errors, 1 something is missing, wrong or unreadable, 2 usage, 3 cannot go on.",
    ),
)
@click.argument("paths", type=PATH, nargs=-1, metavar="[PATH]...")
@option("--roster", "roster_path", type=PATH, text=("项目名册。", "The roster."))
@folder_option
@BY
@DUE
@option("--config", type=PATH, text=("配置文件，默认为旁边的 kpixl.yaml。", "By default the kpixl.yaml beside them."))
@option("-o", "--output", "out", type=PATH, text=("另写出工作簿。", "Write a workbook too."))
@limit_option
@read_with
@HTML
@JSON
@click.pass_context
def status(
    ctx: click.Context,
    paths: tuple[Path, ...],
    roster_path: Path | None,
    by: str | None,
    due: datetime | None,
    config: Path | None,
    out: Path | None,
    limits: Any,
    jobs: int | None,
    scheduler: str | None,
    html: Path | None,
    as_json: bool,
) -> int:
    from kpixl.disk import check_target
    from kpixl.forms.load import load_forms
    from kpixl.output.status import status_data, take_stock, write_status
    from kpixl.portfolio import canonical

    lang, outputs = lang_of(ctx), [path for path in (out, html) if path]
    if out is not None:
        check_target(out, ".xlsx")
    forms, sent = list(load_forms(ctx.obj).values()), None
    if not paths:
        folder = needed_folder(ctx, "paths")
        sent, settings, paths = load_rosters(ctx, folder).sent, folder.settings, (folder.paths["returned"],)
        roster_path, config = roster_path or folder.paths["roster"], config or folder.config
        by, due = by or settings.by, due or settings.due
    roster_path = given(ctx, roster_path, "roster_path")
    known = canonical.load(roster_path, form_source(ctx))[1]
    options: Any = {
        "by": by,
        "due": due,
        "config": config,
        "sent": sent,
        "inputs": [roster_path],
        "outputs": outputs,
        "limits": limits,
    }
    with reading(ctx, jobs, scheduler) as who:
        result = take_stock(paths, forms, known, **options, **who)
    if as_json:
        console.print_json(status_data(result, lang))
    else:
        console.print_status(result, lang)
    written, problems = write_status(result, out, html, lang=lang, extra=ctx.obj, today=date.today())
    report(ctx, problems)
    report_written(ctx, written)
    return max(int(not result.complete), exit_code(problems, False))
