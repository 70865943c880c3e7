"""What goes out: the collection folder, the roster, the workbooks to fill in, the JSON Schema."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from kpixl.cli.console import exit_code, say_error
from kpixl.cli.help import Command, folder_option, lang_of, limit_option, option
from kpixl.cli.shared import (
    DUE,
    FORM,
    OUT,
    PATH,
    chosen_form,
    given,
    load_portfolio,
    load_rosters,
    needed_folder,
    report,
    report_written,
)
from kpixl.texts import Text, say

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
@option("--due", metavar="DATE", type=DUE, text=("截止日期或时间。", "The due date (and time)."))
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
        "由项目清单（Excel 或 CSV）生成项目名册。\n\n清单第一行（或标题行之下）是表式中的标签，每行一个项目。"
        "清单增加项目后再次运行，原有编号不变。",
        "Make the roster from a list of projects (Excel or CSV).\n\nOne row holds the form's labels, then one row per "
        "project. Run it again when the list has grown: ids stay.",
    ),
)
@click.argument("list", type=PATH, metavar="LIST")
@option("-o", "--output", "out", **OUT, text=("项目名册（YAML）。", "The roster (YAML)."))
@folder_option
@FORM
@option("--year", type=int, text=("年度。", "The year."))
@option("--organization", text=("单位名称。", "The organisation."))
@limit_option
@click.pass_context
def roster(
    ctx: click.Context,
    list: Path,
    out: Path | None,
    form_id: str | None,
    year: int | None,
    organization: str | None,
    limits: Any,
) -> int:
    from kpixl.collection.roster import write_roster

    if out is None:
        folder = needed_folder(ctx, "out")
        out, form_id, year = folder.paths["roster"], folder.settings.form, year or folder.settings.year
        organization = organization or folder.settings.organization
    form = chosen_form(ctx, form_id)
    written, _, problems = write_roster(
        form, list, out, year=year, organization=organization, limits=limits, lang=lang_of(ctx), today=date.today()
    )
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)


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

    if portfolio is None and out is None and split_by is None:
        return _send(ctx)
    portfolio, out = given(ctx, portfolio, "portfolio"), given(ctx, out, "out")
    form, content = load_portfolio(ctx, portfolio)
    refuse_overlap([out], [portfolio])
    written, problems = write_templates(form, content, out, by=split_by, lang=lang_of(ctx), today=date.today())
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
