"""`kpixl trace` and `kpixl verify`: where values came from, and that nothing is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kpixl.cli.console import exit_code
from kpixl.cli.help import Command, folder_option, lang_of, limit_option, option
from kpixl.cli.shared import (
    JSON,
    PATH,
    form_source,
    load_portfolio,
    load_rosters,
    needed_folder,
    portfolio_of,
    report,
)


@click.command(
    cls=Command,
    text=(
        "查明数据的出处：文件、工作表、单元格和填写的原文。\n\n"
        "PROJECT 是项目编号、名称或名称的一部分；FIELD 是填报项的标签（年度总体目标）、键（goal.annual）、"
        "表（indicators）或一条指标的名称，不写则列出全部。",
        "Show where values came from: file, sheet, cell, and what was typed.\n\nPROJECT is an id, a name or a part of "
        "one; FIELD is a label, a key (goal.annual), a table (indicators) or the name of an indicator; without it all "
        "values are listed.",
    ),
)
@click.argument("project", metavar="PROJECT")
@click.argument("field", required=False, metavar="[FIELD]")
@option(
    "-p",
    "--portfolio",
    type=PATH,
    text=("汇总数据（YAML）；默认为当前文件夹中唯一的一个。", "The YAML file; by default the only one in this folder."),
)
@folder_option
@JSON
@click.pass_context
def trace(ctx: click.Context, project: str, field: str | None, portfolio: Path | None, as_json: bool) -> int:
    from kpixl.cli import console
    from kpixl.collection.trace import trace, trace_data

    found = trace(portfolio_of(ctx, portfolio), project, field, form_source(ctx))
    report(ctx, found.problems)
    if as_json:
        console.print_json(trace_data(found))
    else:
        console.print_trace(found, lang_of(ctx))
    return exit_code(found.problems, False)


@click.command(
    cls=Command,
    text=(
        "核实汇总数据：来源文件未变，收回文件中填写的每一格都有着落。\n\n"
        "重新读取收回的文件（默认为 YAML 旁边的 returned 文件夹），逐项与 YAML 对照；每个填写的单元格应在汇总数据中、"
        "与已采用的相同、在冲突中，或在问题中提到。退出码：0 全部相符，1 有不符，2 用法有误，3 无法继续。",
        "Verify a portfolio: its sources are what they were, and every filled cell is accounted for.\n\nReads the "
        "returned files again (by default the folder returned beside the YAML file) and compares every value; each "
        "filled cell must be in the result, equal to it, in a conflict, or quoted in a problem. Exit code: 0 all "
        "agrees, 1 something does not, 2 usage, 3 cannot go on.",
    ),
)
@click.argument("portfolio", type=PATH, required=False, metavar="[PORTFOLIO.yaml]")
@click.argument("paths", type=PATH, nargs=-1, metavar="[PATH]...")
@option(
    "--roster",
    "roster_path",
    type=PATH,
    text=("汇总时所用的项目名册。", "The roster with which it was consolidated."),
)
@folder_option
@limit_option
@JSON
@click.pass_context
def verify(
    ctx: click.Context,
    portfolio: Path | None,
    paths: tuple[Path, ...],
    roster_path: Path | None,
    limits: Any,
    as_json: bool,
) -> int:
    from kpixl.cli import console
    from kpixl.collection.verify import Base, returned_folder, verified_data, verify
    from kpixl.forms.load import load_forms

    lang = lang_of(ctx)
    forms = list(load_forms(ctx.obj).values())
    base = Base(load_portfolio(ctx, roster_path)[1]) if roster_path else Base()
    if portfolio is None:
        folder = needed_folder(ctx, "portfolio")
        rosters = load_rosters(ctx, folder)
        portfolio, paths = folder.paths["portfolio"], (folder.paths["returned"],)
        base = Base(rosters.roster, rosters.sent)
    paths = paths or (returned_folder(portfolio),)
    with console.progress(lang) as progress:
        found = verify(portfolio, paths, forms, base=base, limits=limits, progress=progress)
    if as_json:
        console.print_json(verified_data(found, lang))
    else:
        report(ctx, found.problems)
        console.print_verified(found, lang)
    return exit_code(found.problems, True)
