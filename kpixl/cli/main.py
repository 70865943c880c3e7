"""The command line: parse, call, print. What a command does is done by the module of its name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from kpixl import interrupts
from kpixl.cli.account import trace, verify
from kpixl.cli.compare import diff, would_change
from kpixl.cli.console import exit_code, print_problems, say_error
from kpixl.cli.export import export
from kpixl.cli.forms import forms
from kpixl.cli.help import Command, Group, NoCommandError, Option, lang_of, limit_option, option, usage_error
from kpixl.cli.shared import FORM as _FORM
from kpixl.cli.shared import HTML as _HTML
from kpixl.cli.shared import JSON as _JSON
from kpixl.cli.shared import OUT as _OUT
from kpixl.cli.shared import PATH
from kpixl.cli.shared import STRICT as _STRICT
from kpixl.cli.shared import chosen_form as _form
from kpixl.cli.shared import form_source as _form_source
from kpixl.cli.shared import load_portfolio as _load_portfolio
from kpixl.cli.shared import report as _report
from kpixl.cli.shared import report_written as _wrote
from kpixl.problems import KpixlError, Location, Problem, Severity
from kpixl.texts import asked_language
from kpixl.version import __version__

KPIXL_ERROR, USAGE_ERROR = 3, 2


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0 clean, 1 problems, 2 usage, 3 cannot go on."""
    try:
        result = cli.main(list(arguments), prog_name="kpixl", standalone_mode=False)
    except click.UsageError as error:
        say_error(usage_error(error, arguments))
        return USAGE_ERROR
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        say_error(interrupts.text_of(arguments))
        return interrupts.EXIT_CODE
    except KpixlError as error:
        print_problems(error.problems, asked_language(arguments))
        return KPIXL_ERROR
    return result if isinstance(result, int) else 0


@click.group(
    cls=Group,
    text=(
        "项目支出绩效目标：生成填报工作簿，汇总收回的文件，生成汇总表和公开页面。",
        "Performance targets: make the workbooks to fill in, consolidate what comes back, make summary and page.",
    ),
)
@click.version_option(
    __version__, message="%(prog)s %(version)s", cls=Option, text=("显示版本。", "Show the version and exit.")
)
@option(
    "--forms-dir",
    "forms_dirs",
    type=PATH,
    multiple=True,
    text=("另外的表式文件夹（也可用环境变量 KPIXL_FORMS）。", "A further folder of form definitions (or KPIXL_FORMS)."),
)
@click.pass_context
def cli(ctx: click.Context, forms_dirs: tuple[Path, ...]) -> None:
    ctx.obj = forms_dirs


@cli.command(
    cls=Command,
    text=(
        "由项目清单（Excel 或 CSV）生成花名册。\n\n清单第一行（或标题行之下）是表式中的标签，每行一个项目。"
        "清单增加项目后再次运行，原有编号不变。",
        "Make the roster from a list of projects (Excel or CSV).\n\nOne row holds the form's labels, then one row per "
        "project. Run it again when the list has grown: ids stay.",
    ),
)
@click.argument("list", type=PATH, metavar="LIST")
@option("-o", "--output", "out", **_OUT, text=("花名册（YAML）。", "The roster (YAML)."))
@_FORM
@option("--year", type=int, text=("年度。", "The year."))
@option("--organization", text=("单位名称。", "The organisation."))
@limit_option
@click.pass_context
def roster(
    ctx: click.Context,
    list: Path,
    out: Path,
    form_id: str | None,
    year: int | None,
    organization: str | None,
    limits: Any,
) -> int:
    from kpixl.collection.roster import write_roster

    form = _form(ctx, form_id)
    written, _, problems = write_roster(
        form, list, out, year=year, organization=organization, limits=limits, lang=lang_of(ctx), today=date.today()
    )
    _report(ctx, problems)
    _wrote(ctx, written)
    return exit_code(problems, False)


@cli.command(
    cls=Command,
    text=(
        "由花名册生成填报工作簿，每个项目一张表。",
        "Make the workbook to fill in, one sheet per project.",
    ),
)
@click.argument("portfolio", type=PATH, metavar="PORTFOLIO.yaml")
@option("-o", "--output", "out", **_OUT, text=("工作簿；拆分时为文件夹。", "The workbook; with --split-by a folder."))
@option(
    "--split-by",
    metavar="FIELD",
    text=("按字段（如 unit）拆分，每个值一个工作簿。", "One workbook per value of a field such as unit."),
)
@click.pass_context
def template(ctx: click.Context, portfolio: Path, out: Path, split_by: str | None) -> int:
    from kpixl.disk import refuse_overlap
    from kpixl.output.template import write_templates

    form, content = _load_portfolio(ctx, portfolio)
    refuse_overlap([out], [portfolio])
    written, problems = write_templates(form, content, out, by=split_by, lang=lang_of(ctx), today=date.today())
    _report(ctx, problems)
    _wrote(ctx, written)
    return exit_code(problems, False)


@cli.command(
    cls=Command,
    text=(
        "读取收回的文件，写出 YAML 和汇总表，列出问题。\n\n"
        "可以给出文件和文件夹（含子文件夹）。退出码：0 没有错误，1 有错误，2 用法有误，3 无法继续。",
        "Read what came back; write the YAML file and the summary, list the problems.\n\nTakes files and folders "
        "(searched recursively). Exit code: 0 no errors, 1 errors, 2 usage, 3 cannot go on.",
    ),
)
@click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")
@option("-o", "--output", "out", **_OUT, text=("汇总数据（YAML）。", "The consolidated data (YAML)."))
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
    "roster_path",
    type=PATH,
    text=("花名册，用于核对编号和缺交。", "The roster, to match ids and find who is missing."),
)
@_FORM
@limit_option
@_JSON
@_STRICT
@click.pass_context
def consolidate(
    ctx: click.Context,
    paths: tuple[Path, ...],
    out: Path,
    summary: Path | None,
    no_summary: bool,
    dry_run: bool,
    roster_path: Path | None,
    form_id: str | None,
    limits: Any,
    as_json: bool,
    strict: bool,
) -> int:
    from kpixl.cli import console
    from kpixl.collection.consolidate import (
        consolidate,
        office_of,
        report_data,
        sources_path,
        write_consolidated,
    )
    from kpixl.collection.decisions import decisions_path
    from kpixl.collection.hand_edits import written_path
    from kpixl.disk import check_target
    from kpixl.files import workbook_ending
    from kpixl.forms.load import load_forms
    from kpixl.portfolio import canonical

    lang = lang_of(ctx)
    check_target(out)
    targets = [out] if no_summary else [out, summary or out.with_suffix(".xlsx")]
    if not no_summary:
        check_target(targets[1], workbook_ending(targets[1]))
    forms = [_form(ctx, form_id)] if form_id else list(load_forms(ctx.obj).values())
    roster = canonical.load(roster_path, _form_source(ctx))[1] if roster_path else None
    picks = _picks(targets[1]) if not no_summary else []
    office = office_of(out, picks, today=date.today())
    with console.progress(lang) as progress:
        result = consolidate(
            paths,
            forms,
            roster=roster,
            limits=limits,
            inputs=[roster_path] if roster_path else [],
            outputs=[*targets, sources_path(out), decisions_path(out), written_path(out)],
            progress=progress,
            decided=office,
        )
    if dry_run:
        return would_change(ctx, result, paths, out, as_json=as_json, strict=strict)
    written, problems = write_consolidated(result, *targets, lang=lang, today=date.today(), drafts=office.drafts)
    problems = (*office.problems, *problems)
    if as_json:
        console.print_json(report_data(result, problems, written, lang))
    else:
        console.print_problems(problems, lang)
        console.print_files(result, lang)
    _wrote(ctx, written)
    return exit_code(problems, strict)


def _picks(summary: Path) -> list[Any]:
    """Read what is chosen in a summary; where there is none, nothing is loaded for it."""
    if not summary.is_file():
        return []
    from kpixl.output.summary.choices import read_picks

    return read_picks(summary)


@cli.command(
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
@click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")
@option(
    "--roster",
    "roster_path",
    type=PATH,
    text=("花名册，用于核对金额和缺交。", "The roster, for amounts and who is missing."),
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
@_FORM
@limit_option
@_JSON
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
@_HTML
@_STRICT
@click.pass_context
def check(
    ctx: click.Context,
    paths: tuple[Path, ...],
    roster_path: Path | None,
    config: Path | None,
    since: Path | None,
    form_id: str | None,
    limits: Any,
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
    if mark is not None:
        from kpixl.output.annotate import check_folder

        check_folder(mark, paths)
    forms = [_form(ctx, form_id)] if form_id else list(load_forms(ctx.obj).values())
    roster = canonical.load(roster_path, _form_source(ctx))[1] if roster_path else None
    known: Sequence[Any] = ()
    if since is not None:
        from kpixl.collection.baseline import load_baseline, only_new

        known = load_baseline(since, forms, roster=roster, config=config or find_config(paths))
    with console.progress(lang) as progress:
        result = review(
            paths,
            forms,
            roster=roster,
            config=config,
            inputs=[path for path in (roster_path, since) if path],
            outputs=[path for path in (sarif, html) if path],
            limits=limits,
            progress=progress,
        )
    if since is not None:
        result = only_new(result, known, since.name)
    report, problems = review_data(result, lang), for_people(result)
    written, refused = _write_reports(ctx, result, sarif, html)
    problems = (*problems, *refused)
    if mark is not None:
        from kpixl.output.annotate import marked_data, write_marked

        font = str(result.form.fonts["body"])
        with console.progress(lang, console.MARKING) as progress:
            copies, said = write_marked(
                result.files,
                problems,
                mark,
                lang=lang,
                font=font,
                limits=limits,
                today=date.today(),
                progress=progress,
                everything=mark_all,
            )
        report["marked"], problems = marked_data(copies, lang), (*problems, *said)
        refused = (*refused, *(problem for problem in said if problem.severity is Severity.ERROR))
    if as_json:
        console.print_json(report)
    else:
        console.print_problems(problems, lang)
    if mark is not None:
        console.print_marked(mark, copies, lang)
    if result.since is not None and not as_json:
        console.print_since(result.since, lang)
    _wrote(ctx, written)
    return exit_code((*result.problems, *refused), strict)


@cli.command(
    cls=Command,
    text=(
        "对照花名册，逐单位、逐项目说明收表情况。\n\n列出交回无误、交回有误（与 kpixl check 的错误一致）、无需申报、"
        "未交回的项目，以及重复提交、迟交和无法读取的文件。退出码：0 全部交回且没有错误，1 有未交回、有误或无法读取的，"
        "2 用法有误，3 无法继续。",
        "Who has returned what, by unit and project, against the roster.\n\nReturned, with errors (as kpixl check "
        "finds them), nothing to report, missing; returned twice, late, and files that cannot be read. Exit code: 0 "
        "everything is in without errors, 1 something is missing, wrong or unreadable, 2 usage, 3 cannot go on.",
    ),
)
@click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")
@option("--roster", "roster_path", required=True, type=PATH, text=("花名册。", "The roster."))
@option("--by", metavar="FIELD", text=("按哪个字段分单位。", "The field by which to group; by default the unit."))
@option(
    "--due",
    metavar="DATE",
    type=click.DateTime(("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")),
    text=(
        '截止日期或时间，如 2026-11-20 或 "2026-11-20 17:00"；按文件时间标出迟交。',
        'Due date (and time), 2026-11-20 or "2026-11-20 17:00"; later files are shown as late.',
    ),
)
@option("--config", type=PATH, text=("配置文件，默认为旁边的 kpixl.yaml。", "By default the kpixl.yaml beside them."))
@option("-o", "--output", "out", type=PATH, text=("另写出工作簿。", "Write a workbook too."))
@limit_option
@_HTML
@_JSON
@click.pass_context
def status(
    ctx: click.Context,
    paths: tuple[Path, ...],
    roster_path: Path,
    by: str | None,
    due: datetime | None,
    config: Path | None,
    out: Path | None,
    limits: Any,
    html: Path | None,
    as_json: bool,
) -> int:
    from kpixl.cli import console
    from kpixl.disk import check_target
    from kpixl.forms.load import load_forms
    from kpixl.output.status import status_data, take_stock, write_status
    from kpixl.portfolio import canonical

    lang, outputs = lang_of(ctx), [path for path in (out, html) if path]
    if out is not None:
        check_target(out, ".xlsx")
    forms, known = list(load_forms(ctx.obj).values()), canonical.load(roster_path, _form_source(ctx))[1]
    options: Any = {
        "by": by,
        "due": due,
        "config": config,
        "inputs": [roster_path],
        "outputs": outputs,
        "limits": limits,
    }
    with console.progress(lang) as progress:
        result = take_stock(paths, forms, known, progress=progress, **options)
    if as_json:
        console.print_json(status_data(result, lang))
    else:
        console.print_status(result, lang)
    written, problems = write_status(result, out, html, lang=lang, extra=ctx.obj, today=date.today())
    _report(ctx, problems)
    _wrote(ctx, written)
    return max(int(not result.complete), exit_code(problems, False))


cli.add_command(diff)
cli.add_command(trace)
cli.add_command(verify)
cli.add_command(export)


@cli.command(cls=Command, text=("列出检查规则。", "List the rules of kpixl check."))
@_FORM
@click.pass_context
def rules(ctx: click.Context, form_id: str | None) -> int:
    from kpixl.checks.rules_page import rules_markdown

    click.echo(rules_markdown(lang_of(ctx), [_form(ctx, form_id)]), nl=False)
    return 0


@cli.command(cls=Command, text=("由 YAML 重新生成汇总工作簿。", "Regenerate the summary workbook from the YAML file."))
@click.argument("portfolio", type=PATH, metavar="PORTFOLIO.yaml")
@option("-o", "--output", "out", **_OUT, text=("汇总工作簿。", "The summary workbook."))
@option("--forms/--no-forms", default=None, text=("是否写入全部申报表。", "Write the sheet of all forms, or not."))
@click.pass_context
def summary(ctx: click.Context, portfolio: Path, out: Path, forms: bool | None) -> int:
    from kpixl.checks.engine import check
    from kpixl.collection.consolidate import conflicts_of, run_of, sources_of
    from kpixl.disk import check_target
    from kpixl.files import workbook_ending
    from kpixl.output.summary import write_summary

    form, content = _load_portfolio(ctx, portfolio)
    check_target(out, workbook_ending(out))
    sources = sources_of(portfolio)
    found = check(form, content)
    drafts = {(p.project, p.field, p.row): (p.choice, p.reason) for p in _picks(out)}
    written, problems = write_summary(
        out,
        form,
        content,
        lang=lang_of(ctx),
        sources=sources,
        forms=forms,
        run=run_of(portfolio),
        today=date.today(),
        conflicts=conflicts_of(portfolio, form),
        drafts=drafts,
    )
    problems = (*found, *problems)
    _report(ctx, problems)
    _wrote(ctx, written)
    return exit_code(problems, False)


_PORTFOLIO = option(
    "--portfolio",
    type=PATH,
    metavar="PORTFOLIO.yaml",
    text=("汇总数据，默认为当前文件夹中唯一的一个。", "The consolidated data; by default the only one in this folder."),
)
_WHY = option("--why", required=True, metavar="REASON", text=("理由。", "The reason."))


@cli.command(
    cls=Command,
    text=(
        "决定一个值，记入 decisions.yaml，下次汇总时生效。\n\nPROJECT 为编号或名称，FIELD 为字段或标签；表中的行用 "
        "--row 指明。",
        "Decide a value; recorded in decisions.yaml, and used when you consolidate again.\n\nPROJECT is an id or a "
        "name, FIELD a key or a label; in a table --row names the row.",
    ),
)
@click.argument("project")
@click.argument("field")
@click.argument("value")
@option("--row", default="", metavar="ROW", text=("行：该行的名称，或完整的一行。", "A row, by its name or in full."))
@_WHY
@_PORTFOLIO
@click.pass_context
def decide(ctx: click.Context, project: str, field: str, value: str, row: str, why: str, portfolio: Path | None) -> int:
    from kpixl.collection.consolidate import office_of
    from kpixl.collection.decide import decision
    from kpixl.collection.sources import only_portfolio

    path = portfolio or only_portfolio(Path())
    form, content = _load_portfolio(ctx, path)
    today = date.today()
    made = decision(
        form,
        content,
        office_of(path, today=today).conflicts,
        project=project,
        field=field,
        value=value,
        row=row,
        why=why,
        today=today.isoformat(),
    )
    return _decided(ctx, path, form, values=[made])


@cli.command(
    cls=Command,
    text=(
        "决定一个文件不计入，记入 decisions.yaml，下次汇总时生效。",
        "Leave a returned file out; recorded in decisions.yaml, and used when you consolidate again.",
    ),
)
@click.argument("file")
@_WHY
@_PORTFOLIO
@click.pass_context
def exclude(ctx: click.Context, file: str, why: str, portfolio: Path | None) -> int:
    from kpixl.collection.consolidate import digests_of
    from kpixl.collection.decide import exclusion
    from kpixl.collection.sources import only_portfolio

    path = portfolio or only_portfolio(Path())
    form, _ = _load_portfolio(ctx, path)
    made = exclusion(file, digests_of(path), why=why, today=date.today().isoformat())
    return _decided(ctx, path, form, excluded=[made])


def _decided(ctx: click.Context, portfolio: Path, form: Any, **made: Any) -> int:
    """Add decisions to the file beside a portfolio."""
    from kpixl.collection.decisions import decisions_path, load_decisions, with_more
    from kpixl.disk import Output, commit

    path = decisions_path(portfolio)
    text = with_more(form, load_decisions(path, form), **made).text
    written, problems = commit(
        [Output(path, text.encode(), "decisions", judged=True)], lang=lang_of(ctx), today=date.today()
    )
    _report(ctx, problems)
    _wrote(ctx, written)
    return exit_code(problems, False)


@cli.command(
    cls=Command,
    text=(
        "由 YAML 生成公开用的网页、Word、PDF 或 Markdown 文件。\n\n按文件名的结尾选择格式：.html、.docx、.pdf、.md。"
        "先照 kpixl check 检查；有错误、版本冲突、空白或缺少的项目时列出原因，不写任何文件，退出码 1。"
        "--draft 照写样稿，每页印有“草稿”。",
        "Make what is published from the YAML file: a page, a Word document, a PDF or Markdown.\n\nThe ending of the "
        "name chooses: .html, .docx, .pdf, .md. Everything is checked first, as by kpixl check; errors, conflicts, "
        "blank and missing projects are listed, and then nothing is written and the exit code is 1. --draft writes a "
        "draft all the same, marked on every page.",
    ),
)
@click.argument("portfolio", type=PATH, metavar="PORTFOLIO.yaml")
@option("-o", "--output", "out", **_OUT, text=("要生成的文件。", "The file to make."))
@option(
    "--roster",
    "roster_path",
    type=PATH,
    text=("名册，用于核对金额和缺少的项目。", "The roster, for amounts and who is missing."),
)
@option("--config", type=PATH, text=("配置文件，默认为旁边的 kpixl.yaml。", "By default the kpixl.yaml beside it."))
@option("--draft", is_flag=True, text=("未通过检查也写样稿，每页印“草稿”。", "Write a draft, marked on every page."))
@option(
    "--template",
    "design",
    type=PATH,
    metavar="DIR",
    text=("自己的版式模板所在文件夹，见 kpixl forms copy。", "A folder of your own templates, see kpixl forms copy."),
)
@option("--font", metavar="NAME", text=("改用此字体。", "Use this font in place of the form's own."))
@click.pass_context
def publish(
    ctx: click.Context,
    portfolio: Path,
    out: Path,
    roster_path: Path | None,
    config: Path | None,
    draft: bool,
    design: Path | None,
    font: str | None,
) -> int:
    from kpixl.forms.load import load_forms
    from kpixl.output.publish import publish
    from kpixl.portfolio import canonical

    forms = list(load_forms(ctx.obj).values())
    roster = canonical.load(roster_path, _form_source(ctx))[1] if roster_path else None
    written, problems = publish(
        portfolio,
        out,
        forms,
        today=date.today(),
        lang=lang_of(ctx),
        roster=roster,
        config=config,
        draft=draft,
        font=font,
        design=design,
        extra=ctx.obj,
        inputs=[roster_path] if roster_path else [],
    )
    # What does not stand in the way of publishing was told by `kpixl check`; here it is counted.
    told = [p for p in problems if p.severity is Severity.ERROR or p.rule is None]
    if len(told) < len(problems):
        counted = Problem("publish-unlisted", Location(portfolio.name), {"count": len(problems) - len(told)})
        told.insert(len(told) - (told[-1:] != [] and told[-1].code == "publish-refused"), counted)
    _report(ctx, told)
    _wrote(ctx, written)
    return exit_code(problems, False)


cli.add_command(forms)


@forms.command(
    cls=Command,
    text=(
        "把表式及其版式模板复制到文件夹，供修改。\n\n改好的版式用 kpixl publish --template 文件夹 生成；"
        "改好的表式另起编号，用 --forms-dir 指定。",
        "Copy a form definition and its templates into a folder, to change them.\n\nPublish with the templates by "
        "kpixl publish --template DIR.",
    ),
)
@click.argument("form_id", metavar="FORM")
@click.argument("folder", type=PATH, metavar="DIR")
@click.pass_context
def copy(ctx: click.Context, form_id: str, folder: Path) -> int:
    from kpixl.output.publish.designs import copy_design

    written, problems = copy_design(form_id, folder, ctx.obj, lang=lang_of(ctx), today=date.today())
    _report(ctx, problems)
    _wrote(ctx, written)
    return exit_code(problems, False)


@cli.command(
    cls=Command,
    text=("输出表式的 JSON Schema，供编辑器检查花名册。", "Print the JSON Schema of a form's portfolio, for editors."),
)
@click.argument("form_id", required=False, metavar="[FORM]")
@click.pass_context
def schema(ctx: click.Context, form_id: str | None) -> int:
    from kpixl.cli.console import print_json
    from kpixl.portfolio.schema import portfolio_schema

    print_json(portfolio_schema(_form(ctx, form_id)))
    return 0


@cli.command(cls=Command, text=("显示一个命令的帮助。", "Show the help of a command."))
@click.argument("command", nargs=-1, metavar="[COMMAND]")
@click.pass_context
def help(ctx: click.Context, command: tuple[str, ...]) -> int:
    assert ctx.parent is not None
    inner = ctx.parent
    for name in command:
        found = inner.command.get_command(inner, name) if isinstance(inner.command, click.Group) else None
        if found is None:
            raise NoCommandError(name, inner)
        inner = click.Context(found, parent=inner, info_name=name)
    click.echo(inner.get_help())
    return 0


# --- shared -----------------------------------------------------------------------------------


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
