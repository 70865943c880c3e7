"""`kpixl check` and its rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from kpixl.cli.console import exit_code
from kpixl.cli.help import Command, folder_option, lang_of, limit_option, option
from kpixl.cli.shared import (
    FORM,
    HTML,
    JSON,
    PATH,
    STRICT,
    chosen_form,
    form_source,
    load_rosters,
    needed_folder,
    read_with,
    reading,
    report_written,
)
from kpixl.problems import Problem, Severity


@click.command(
    cls=Command,
    text=(
        "检查收回的文件或汇总数据，列出全部问题。\n\n"
        "可以给出文件和文件夹，或一个 YAML。旁边的 kpixl.yaml 选择规则并写明豁免。退出码：0 没有错误，1 有错误，"
        "2 用法有误，3 无法继续。",
        "Check submissions or a portfolio; list everything that is wrong.\n\nTakes files and folders, or one YAML "
        "file. A kpixl.yaml beside them chooses rules and holds waivers. Exit code: 0 no errors, 1 errors, 2 usage, "
        "3 cannot go on.",
    ),
)
@click.argument("paths", type=PATH, nargs=-1, metavar="[PATH]...")
@folder_option
@option(
    "--roster",
    "roster_path",
    type=PATH,
    text=("项目名册，用于核对金额和缺交。", "The roster, for amounts and who is missing."),
)
@option("--config", type=PATH, text=("配置文件，默认为旁边的 kpixl.yaml。", "By default the kpixl.yaml beside them."))
@option(
    "--since",
    type=PATH,
    metavar="LAST",
    text=(
        "只列出上次检查之后新出现的问题；LAST 是上次的 --json 或 --sarif 结果，或一个 YAML。",
        "Only what is new since an earlier check: its --json or --sarif, or a YAML file.",
    ),
)
@FORM
@limit_option
@read_with
@JSON
@option("--sarif", type=PATH, text=("另写出 SARIF 2.1.0 文件。", "Write a SARIF 2.1.0 file too."))
@option(
    "--mark",
    type=PATH,
    metavar="DIR",
    text=("把标注了问题的副本写入此文件夹，供退回修改。", "Write marked copies into this folder, to send back."),
)
@option(
    "--mark-all",
    is_flag=True,
    text=(
        "副本的表中也标注警告和提示，默认只标注错误。",
        "Mark warnings and notes in the sheets too, not only errors.",
    ),
)
@HTML
@STRICT
@click.pass_context
def check(
    ctx: click.Context,
    paths: tuple[Path, ...],
    roster_path: Path | None,
    config: Path | None,
    since: Path | None,
    form_id: str | None,
    limits: Any,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
    sarif: Path | None,
    mark: Path | None,
    mark_all: bool,
    html: Path | None,
    strict: bool,
) -> int:
    from kpixl.checks.configuration import find_config
    from kpixl.cli import console
    from kpixl.collection.review import for_people, review, review_data
    from kpixl.forms.load import load_forms
    from kpixl.portfolio import canonical

    lang = lang_of(ctx)
    forms = [chosen_form(ctx, form_id)] if form_id else list(load_forms(ctx.obj).values())
    roster, sent = canonical.load(roster_path, form_source(ctx))[1] if roster_path else None, None
    if not paths:
        folder = needed_folder(ctx, "paths")
        rosters = load_rosters(ctx, folder)
        paths, config = (folder.paths["returned"],), config or folder.config
        roster, sent = (rosters.roster, rosters.sent) if roster is None else (roster, None)
    if mark is not None:
        from kpixl.output.annotate import check_folder

        check_folder(mark, paths)
    known: Sequence[Any] = ()
    if since is not None:
        from kpixl.collection.baseline import load_baseline, only_new

        known = load_baseline(since, forms, roster=roster, config=config or find_config(paths))
    with reading(ctx, jobs, scheduler) as who:
        result = review(
            paths,
            forms,
            roster=roster,
            sent=sent,
            config=config,
            inputs=[path for path in (roster_path, since) if path],
            outputs=[path for path in (sarif, html) if path],
            limits=limits,
            **who,
        )
    if since is not None:
        result = only_new(result, known, since.name)
    report, problems = review_data(result, lang), for_people(result)
    written, refused = _write_reports(ctx, result, sarif, html)
    problems = (*problems, *refused)
    if mark is not None:
        copies, said, report["marked"] = _annotate(result, problems, mark, limits, lang, everything=mark_all)
        problems = (*problems, *said)
        refused = (*refused, *(problem for problem in said if problem.severity is Severity.ERROR))
    if as_json:
        console.print_json(report)
    else:
        console.print_problems(problems, lang)
    if mark is not None:
        console.print_marked(mark, copies, lang)
    if result.since is not None and not as_json:
        console.print_since(result.since, lang)
    report_written(ctx, written)
    return exit_code((*result.problems, *refused), strict)


def _annotate(
    result: Any, problems: Sequence[Problem], folder: Path, limits: Any, lang: str, *, everything: bool
) -> tuple[Any, Sequence[Problem], Any]:
    """Write the annotated copies; return them, the problems of writing them, and both as data."""
    from kpixl.cli import console
    from kpixl.output.annotate import marked_data, write_marked

    with console.progress(lang, console.MARKING) as progress:
        copies, said = write_marked(
            result.files,
            problems,
            folder,
            lang=lang,
            font=str(result.form.fonts["body"]),
            limits=limits,
            today=date.today(),
            progress=progress,
            everything=everything,
        )
    return copies, said, marked_data(copies, lang)


@click.command(cls=Command, text=("列出检查规则。", "List the rules of kpixl check."))
@FORM
@click.pass_context
def rules(ctx: click.Context, form_id: str | None) -> int:
    from kpixl.checks.rules_page import rules_markdown
    from kpixl.forms.load import load_forms

    forms = [chosen_form(ctx, form_id)] if form_id else list(load_forms(ctx.obj).values())
    click.echo(rules_markdown(lang_of(ctx), forms), nl=False)
    return 0


def _write_reports(
    ctx: click.Context, result: Any, sarif: Path | None, html: Path | None
) -> tuple[Sequence[Any], Sequence[Problem]]:
    """Write the SARIF log and the page that were asked for."""
    outputs = []
    if sarif is not None:
        from kpixl.output.sarif import sarif_output

        outputs.append(sarif_output(result, sarif, lang_of(ctx)))
    if html is not None:
        from kpixl.output.report import report_output

        outputs.append(report_output(result, html, lang_of(ctx), ctx.obj))
    if not outputs:
        return (), ()
    from kpixl.disk import commit

    return commit(outputs, lang=lang_of(ctx), today=date.today())
