"""What goes out: the collection folder, the roster, the workbooks to fill in, the JSON Schema."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from kpixl.cli.console import exit_code, print_json, say_error
from kpixl.cli.help import Command, folder_option, lang_of, limit_option, option
from kpixl.cli.shared import (
    DUE,
    FORM,
    JSON,
    OUT,
    PATH,
    chosen_form,
    folder_of,
    given,
    load_portfolio,
    load_rosters,
    needed_folder,
    report,
    report_written,
)
from kpixl.texts import Text, say

MAPPING: tuple[Text, ...] = (
    ("单元格", "Cell"),
    ("列名", "Heading"),
    ("字段", "Field"),
    ("识别方式", "How"),
    ("单位", "Unit"),
    ("前几个值", "First values"),
)
LISTED: Text = (
    "{projects} 个项目，年度 {year}，单位 {organization}",
    "Projects: {projects}; year {year}; {organization}",
)
REFUSED: Text = ("不能生成项目名册。", "No roster can be made.")

_NEXT: Text = (
    "接下来：核对 {roster}，然后运行 kpixl -C {root} template；收回的文件放入 {returned}，"
    "再运行 kpixl -C {root} consolidate。",
    "Next: look at {roster}, then type kpixl -C {root} template. Put what comes back into {returned} and type "
    "kpixl -C {root} consolidate.",
)


@click.command(
    cls=Command,
    text=(
        "新建收表文件夹：设置、项目名册、sent、returned。\n\n在其中（或用 -C 指明它）运行其他命令，不用再写路径和选项。"
        "已有的文件不会被覆盖。",
        "Make the collection folder of a round: settings, roster, sent, returned.\n\nIn it, or with -C, the other "
        "commands need no paths and options. Nothing that is there is overwritten.",
    ),
)
@click.argument("folder", type=PATH)
@option(
    "--list",
    "project_list",
    type=PATH,
    required=True,
    text=("项目清单（Excel 或 CSV），每行一个项目。", "The list of projects (Excel or CSV), a row for each."),
)
@FORM
@option("--year", type=int, text=("年度。", "The year."))
@option("--organization", text=("单位名称。", "The organisation."))
@DUE
@option("--by", metavar="FIELD", text=("按哪个字段分发，默认为单位。", "A workbook per value of it; by default units."))
@limit_option
@click.pass_context
def init(
    ctx: click.Context,
    folder: Path,
    project_list: Path,
    form_id: str | None,
    year: int | None,
    organization: str | None,
    due: datetime | None,
    by: str | None,
    limits: Any,
) -> int:
    from kpixl.collection.new_folder import Plan, make_folder

    lang, plan = lang_of(ctx), Plan(chosen_form(ctx, form_id), project_list, year, organization, due, by)
    written, problems = make_folder(folder, plan, limits=limits, lang=lang, today=date.today())
    report(ctx, problems)
    report_written(ctx, written)
    places = {"root": folder, "roster": folder / "roster.yaml", "returned": folder / "returned"}
    say_error(say(_NEXT, lang, **places))
    return exit_code(problems, False)


@click.command(
    cls=Command,
    text=(
        "由项目清单（Excel 或 CSV）生成项目名册。\n\n表头行中的列名按表式的标签识别（同义和相近的写法也可以），每行一个"
        "项目。清单增加项目后再次运行，原有编号不变。",
        "Make the roster from a list of projects (Excel or CSV).\n\nOne row holds the form's labels (synonyms and "
        "nearly the same words will do), then one row per project. Run it again when the list has grown: ids stay.",
    ),
)
@click.argument("list", type=PATH, metavar="LIST")
@option(
    "-o",
    "--output",
    "out",
    type=PATH,
    text=("项目名册（YAML）；试运行时可省略。", "The roster (YAML); not needed for a dry run."),
)
@folder_option
@FORM
@option("--year", type=int, text=("年度。", "The year."))
@option("--organization", text=("单位名称。", "The organisation."))
@option(
    "--dry-run",
    is_flag=True,
    text=(
        "只显示各列怎样识别，哪些未读取，不写文件；可加 --json。",
        "Only show what each column is read as and what is left out; write nothing. With --json as data.",
    ),
)
@limit_option
@JSON
@click.pass_context
def roster(
    ctx: click.Context,
    list: Path,
    out: Path | None,
    form_id: str | None,
    year: int | None,
    organization: str | None,
    dry_run: bool,
    limits: Any,
    as_json: bool,
) -> int:
    from kpixl.collection.list_form import form_of_list
    from kpixl.collection.roster import plan_roster, write_roster
    from kpixl.forms.load import load_forms

    if out is None and (folder := folder_of(ctx)) is not None:
        out, form_id, year = folder.paths["roster"], folder.settings.form, year or folder.settings.year
        organization = organization or folder.settings.organization
    form = chosen_form(ctx, form_id) if form_id else form_of_list(load_forms(ctx.obj).values(), list, out, limits)
    if dry_run:
        read = plan_roster(form, list, out, year=year, organization=organization, limits=limits)
        _show_mapping(ctx, read, as_json=as_json)
        return exit_code(read.problems, False)
    out = given(ctx, out, "out")
    if as_json:
        raise click.UsageError("--json: --dry-run")
    written, _, problems = write_roster(
        form, list, out, year=year, organization=organization, limits=limits, lang=lang_of(ctx), today=date.today()
    )
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)


def _show_mapping(ctx: click.Context, read: Any, *, as_json: bool) -> None:
    """Show what each column of a list is read as."""
    from kpixl.cli import console
    from kpixl.collection.list_mapping import HOW, mapped_columns, mapping_data

    lang = lang_of(ctx)
    if as_json:
        print_json({**mapping_data(read, lang), "problems": [problem.data(lang) for problem in read.problems]})
        return
    rows = [
        (
            f"{c.sheet} {c.cell}".strip(),
            c.heading,
            f"{c.label} ({c.key})" if c.key else "—",
            say(HOW[c.how], lang),
            c.unit,
            "、".join(c.values),
        )
        for c in mapped_columns(read)
    ]
    console.print_table([say(heading, lang) for heading in MAPPING], rows)
    made = read.roster
    known = (
        {"projects": len(made.projects), "year": made.year or "-", "organization": made.organization or "-"}
        if made
        else {}
    )
    console.say_error(say(LISTED if made else REFUSED, lang, **known))
    report(ctx, read.problems)
    console.say_error(say(console.DRY_RUN, lang))


@click.command(
    cls=Command,
    text=(
        "由一套表的数据生成下一套表的项目名册，例如由绩效目标生成自评表。\n\n带入哪些内容由表式的 derive 规定；"
        "没有对应位置的内容逐项列出。",
        "Make the roster of the next form from a portfolio: self-evaluations from targets.\n\nWhat is carried over is "
        "said by `derive` of the form; what it has no place for is listed.",
    ),
)
@click.argument("portfolio", type=PATH, metavar="PORTFOLIO.yaml")
@option("-o", "--output", "out", **OUT, text=("新的项目名册（YAML）。", "The new roster (YAML)."))
@option(
    "--form",
    "form_id",
    required=True,
    metavar="FORM",
    text=("新的表式，见 kpixl forms。", "The new form, see kpixl forms."),
)
@option("--year", type=int, text=("年度，默认与原数据相同。", "The year; by default that of the portfolio."))
@click.pass_context
def derive(ctx: click.Context, portfolio: Path, out: Path, form_id: str, year: int | None) -> int:
    from dataclasses import replace

    from kpixl.disk import Output, check_target, commit, refuse_overlap
    from kpixl.portfolio import canonical
    from kpixl.portfolio.derive import derive

    check_target(out)
    refuse_overlap([out], [portfolio])
    source, content = load_portfolio(ctx, portfolio)
    form = chosen_form(ctx, form_id)
    derived = derive(form, source, replace(content, year=year or content.year))
    text = canonical.dumps(form, derived.portfolio).encode()
    written, refused = commit([Output(out, text, "roster")], lang=lang_of(ctx), today=date.today())
    report(ctx, (*derived.problems, *refused))
    report_written(ctx, written)
    return exit_code(refused, False)


@click.command(
    cls=Command,
    text=(
        "由项目名册生成填报工作簿，每个项目一张表。\n\n在收表文件夹中写入 sent/，并记下发出时的项目名册。",
        "Make the workbook to fill in, one sheet per project.\n\nIn a collection folder it is written into sent/, with "
        "the roster as it is sent.",
    ),
)
@click.argument("portfolio", type=PATH, required=False, metavar="[PORTFOLIO.yaml]")
@option("-o", "--output", "out", **OUT, text=("工作簿；拆分时为文件夹。", "The workbook; with --split-by a folder."))
@option(
    "--split-by",
    metavar="FIELD",
    text=("按字段（如 unit）拆分，每个值一个工作簿。", "One workbook per value of a field such as unit."),
)
@folder_option
@click.pass_context
def template(ctx: click.Context, portfolio: Path | None, out: Path | None, split_by: str | None) -> int:
    from kpixl.disk import refuse_overlap
    from kpixl.output.template import write_templates
    from kpixl.portfolio.rollover import last_year_path

    if portfolio is None and out is None and split_by is None:
        return _send(ctx)
    portfolio, out = given(ctx, portfolio, "portfolio"), given(ctx, out, "out")
    form, content = load_portfolio(ctx, portfolio)
    before = last_year_path(portfolio)
    last = load_portfolio(ctx, before)[1] if before.is_file() else None
    refuse_overlap([out], [portfolio])
    written, problems = write_templates(
        form, content, out, by=split_by, lang=lang_of(ctx), today=date.today(), last=last
    )
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)


@click.command(
    cls=Command,
    text=(
        "由上一年的汇总数据生成新一年的项目名册，并列出每一处变动。\n\n"
        "名称、单位、指标及计算符号、单位保留；金额和指标值清空，上年的内容写入新模板单元格的批注；全部日期都在上年之内的"
        "项目，日期改为新一年；文字中只提到上年的，改年度，提到几个年度的不改，列出待核对。--form 换用新表式，"
        "带不过去的内容逐项列出。",
        "Make the roster of a new year from the portfolio of the last; list every change.\n\nNames, units, indicators "
        "with their operators and units stay; amounts and target values are emptied, and what they were is a note at "
        "the cell of the new template. Dates move where all of a project's lie within the old year; the year in a text "
        "moves where it names no other, else it stays and is listed. --form carries over to another form and lists "
        "what it has no place for.",
    ),
)
@click.argument("portfolio", type=PATH, metavar="PORTFOLIO.yaml")
@option("--year", type=int, required=True, text=("新的年度。", "The new year."))
@option("-o", "--output", "out", **OUT, text=("新的项目名册（YAML）。", "The new roster (YAML)."))
@FORM
@JSON
@click.pass_context
def rollover(ctx: click.Context, portfolio: Path, year: int, out: Path, form_id: str | None, as_json: bool) -> int:
    from kpixl.cli.console import on_one_line
    from kpixl.disk import check_target, refuse_overlap
    from kpixl.output.rollover import rollover_data, rollover_lines, write_rollover
    from kpixl.portfolio.rollover import last_year_path, roll_over

    lang = lang_of(ctx)
    check_target(out)
    refuse_overlap([out, last_year_path(out)], [portfolio])
    old_form, content = load_portfolio(ctx, portfolio)
    rolled = roll_over(old_form, content, year, chosen_form(ctx, form_id) if form_id else None)
    written, problems = write_rollover(rolled, out, lang=lang, today=date.today())
    if as_json:
        print_json(rollover_data(rolled))
    else:
        for line in rollover_lines(rolled, lang):
            click.echo(on_one_line(line))
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)


def _send(ctx: click.Context) -> int:
    """Write the workbooks of a collection folder."""
    from kpixl.output.round import write_sent

    folder = needed_folder(ctx, "portfolio")
    written, problems = write_sent(folder, load_rosters(ctx, folder), lang=lang_of(ctx), today=date.today())
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)


@click.command(
    cls=Command,
    text=(
        "输出表式的 JSON Schema，供编辑器检查项目名册。",
        "Print the JSON Schema of a form's portfolio, for editors.",
    ),
)
@click.argument("form_id", required=False, metavar="[FORM]")
@click.pass_context
def schema(ctx: click.Context, form_id: str | None) -> int:
    from kpixl.cli.console import print_json
    from kpixl.portfolio.schema import portfolio_schema

    print_json(portfolio_schema(chosen_form(ctx, form_id)))
    return 0
