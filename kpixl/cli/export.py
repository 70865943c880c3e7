"""`kpixl export`: a portfolio as tables for other programs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from kpixl.cli.console import exit_code
from kpixl.cli.help import Command, folder_option, lang_of, option
from kpixl.cli.shared import OUT, PATH, given, load_portfolio, needed_folder, report, report_written

FORMATS = click.Choice(("csv", "sqlite", "parquet", "duckdb"))


@click.command(
    cls=Command,
    text=(
        "把汇总数据导出为表：项目、指标、出处、问题、收表情况、决定。\n\n"
        "csv、parquet 每个表一个文件，sqlite、duckdb 为一个数据库。各列的含义见 docs/export.md；parquet 和 duckdb 需要"
        " pip install kpixl[parquet]。",
        "Export a portfolio as tables: projects, indicators, sources, problems, status, decisions.\n\nCSV and Parquet "
        "are a file per table, SQLite and DuckDB one database. docs/export.md explains every column; Parquet and "
        "DuckDB need pip install kpixl[parquet].",
    ),
)
@click.argument("portfolio", type=PATH, required=False, metavar="[PORTFOLIO.yaml]")
@option("-o", "--output", "out", **OUT, text=("输出文件夹。", "The folder to write into."))
@folder_option
@option("--to", "form", type=FORMATS, default="csv", text=("格式，默认 csv。", "The format; by default csv."))
@option(
    "--roster",
    "roster_path",
    type=PATH,
    text=("项目名册，用于列出未交回的项目。", "The roster, to list what was not returned."),
)
@option("--config", type=PATH, text=("配置文件，默认为旁边的 kpixl.yaml。", "By default the kpixl.yaml beside them."))
@click.pass_context
def export(
    ctx: click.Context,
    portfolio: Path | None,
    out: Path | None,
    form: str,
    roster_path: Path | None,
    config: Path | None,
) -> int:
    from kpixl.disk import commit
    from kpixl.output.export import check_folder, export_outputs, make_folder
    from kpixl.output.export.gather import gather
    from kpixl.output.export.tables import export_tables

    lang = lang_of(ctx)
    if portfolio is None:
        folder = needed_folder(ctx, "portfolio")
        portfolio, out, config = folder.paths["portfolio"], out or folder.paths["export"], config or folder.config
        roster_path = roster_path or folder.paths["roster"]
    out = given(ctx, out, "out")
    definition, _ = load_portfolio(ctx, portfolio)
    roster = load_portfolio(ctx, roster_path)[1] if roster_path else None
    check_folder(out)
    exported = gather(portfolio, definition, roster=roster, config=config)
    outputs = export_outputs(export_tables(exported, lang), out, portfolio.stem, form)
    make_folder(out)
    written, refused = commit(outputs, lang=lang, today=date.today())
    report(ctx, refused)
    report_written(ctx, written)
    return exit_code(refused, False)
