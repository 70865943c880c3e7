"""What the office decides: values, and files that do not count."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from kpixl.cli.console import exit_code
from kpixl.cli.help import Command, folder_option, lang_of, option
from kpixl.cli.shared import (
    PATH,
    folder_of,
    load_portfolio,
    portfolio_of,
    report,
    report_written,
)

_PORTFOLIO = option(
    "--portfolio",
    type=PATH,
    metavar="PORTFOLIO.yaml",
    text=("汇总数据，默认为当前文件夹中唯一的一个。", "The consolidated data; by default the only one in this folder."),
)


_WHY = option("--why", required=True, metavar="REASON", text=("理由。", "The reason."))


@click.command(
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
@folder_option
@click.pass_context
def decide(ctx: click.Context, project: str, field: str, value: str, row: str, why: str, portfolio: Path | None) -> int:
    from kpixl.collection.consolidate import office_of
    from kpixl.collection.decide import decision

    path = portfolio_of(ctx, portfolio)
    form, content = load_portfolio(ctx, path)
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


@click.command(
    cls=Command,
    text=(
        "决定一个文件不计入，记入 decisions.yaml，下次汇总时生效。",
        "Leave a returned file out; recorded in decisions.yaml, and used when you consolidate again.",
    ),
)
@click.argument("file")
@_WHY
@_PORTFOLIO
@folder_option
@click.pass_context
def exclude(ctx: click.Context, file: str, why: str, portfolio: Path | None) -> int:
    from kpixl.collection.consolidate import digests_of
    from kpixl.collection.decide import exclusion

    path, folder = portfolio_of(ctx, portfolio), folder_of(ctx)
    form, _ = load_portfolio(ctx, path)
    if folder is not None and not Path(file).exists() and (inside := folder.paths["returned"] / file).is_file():
        file = str(inside)
    made = exclusion(file, digests_of(path), why=why, today=date.today().isoformat())
    return _decided(ctx, path, form, excluded=[made])


def _decided(ctx: click.Context, portfolio: Path, form: Any, **made: Any) -> int:
    """Add decisions to the file beside a portfolio."""
    from kpixl.collection.decisions import decisions_path, load_decisions, with_more
    from kpixl.disk import Output, commit, turn

    path = decisions_path(portfolio)
    with turn(path.parent):
        text = with_more(form, load_decisions(path, form), **made).text
        written, problems = commit(
            [Output(path, text.encode(), "decisions", judged=True)], lang=lang_of(ctx), today=date.today()
        )
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)
