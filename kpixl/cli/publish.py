"""What is made of a portfolio: the summary workbook, and what is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from kpixl.cli.console import exit_code
from kpixl.cli.help import Command, folder_option, lang_of, option
from kpixl.cli.shared import (
    OUT,
    PATH,
    form_source,
    given,
    load_picks,
    load_portfolio,
    load_rosters,
    needed_folder,
    report,
    report_written,
)
from kpixl.problems import Location, Problem, Severity


@click.command(
    cls=Command, text=("由 YAML 重新生成汇总工作簿。", "Regenerate the summary workbook from the YAML file.")
)
@click.argument("portfolio", type=PATH, required=False, metavar="[PORTFOLIO.yaml]")
@option("-o", "--output", "out", **OUT, text=("汇总工作簿。", "The summary workbook."))
@folder_option
@option("--forms/--no-forms", default=None, text=("是否写入全部申报表。", "Write the sheet of all forms, or not."))
@click.pass_context
def summary(ctx: click.Context, portfolio: Path | None, out: Path | None, forms: bool | None) -> int:
    from kpixl.checks.engine import check
    from kpixl.collection.consolidate import conflicts_of, run_of, sources_of
    from kpixl.disk import check_target
    from kpixl.files import workbook_ending
    from kpixl.output.summary import write_summary

    if portfolio is None and out is None:
        paths = needed_folder(ctx, "portfolio").paths
        portfolio, out = paths["portfolio"], paths["summary"]
    portfolio, out = given(ctx, portfolio, "portfolio"), given(ctx, out, "out")
    form, content = load_portfolio(ctx, portfolio)
    check_target(out, workbook_ending(out))
    sources = sources_of(portfolio)
    found = check(form, content)
    drafts = {(p.project, p.field, p.row): (p.choice, p.reason) for p in load_picks(out)}
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
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)


@click.command(
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
@click.argument("portfolio", type=PATH, required=False, metavar="[PORTFOLIO.yaml]")
@option("-o", "--output", "out", **OUT, text=("要生成的文件。", "The file to make."))
@folder_option
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
    portfolio: Path | None,
    out: Path | None,
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
    roster = canonical.load(roster_path, form_source(ctx))[1] if roster_path else None
    if portfolio is None:
        folder = needed_folder(ctx, "portfolio")
        portfolio, out, config = folder.paths["portfolio"], out or folder.paths["page"], config or folder.config
        roster, roster_path = roster or load_rosters(ctx, folder).roster, roster_path or folder.paths["roster"]
    out = given(ctx, out, "out")
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
    # What does not hinder publishing is listed by `kpixl check`; here it is counted, before the verdict.
    refused = [p for p in problems if p.code == "publish-refused"]
    listed = [p for p in problems if p not in refused and (p.severity is Severity.ERROR or p.rule is None)]
    if others := len(problems) - len(listed) - len(refused):
        listed.append(Problem("publish-unlisted", Location(portfolio.name), {"count": others}))
    report(ctx, [*listed, *refused])
    report_written(ctx, written)
    return exit_code(problems, False)
