"""`kpixl forms learn` and `kpixl forms test`: a definition proposed from a workbook, and a definition tried."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpixl.cli.console import exit_code, on_one_line, print_json, print_problems
from kpixl.cli.help import Command, lang_of, limit_option, option
from kpixl.cli.shared import JSON, OUT, PATH, STRICT, report, report_written
from kpixl.problems import Location, Problem
from kpixl.texts import Text, say

if TYPE_CHECKING:
    from kpixl.learn import Learned

LEARNT: Text = (
    "工作表“{sheet}”：{fields} 个填写项，{tables} 个表格（{columns} 列），{unsure} 处待核对",
    "Sheet {sheet}: {fields} values, {tables} tables ({columns} columns), {unsure} to be checked",
)
OTHERS: Text = ("没有用到的工作表：{names}（用 --sheet 指定）", "Sheets left aside: {names} (name one by --sheet)")
TRIED: Text = (
    "{form}：样例经模板发出、收回，没有发现问题。",
    "{form}: the samples went out and came back; nothing was found.",
)


@click.command(
    cls=Command,
    text=(
        "从空白或已填的工作簿推断表式，写出 form.yaml。\n\n"
        "按边框、合并、底色、保护、有效性规则和相邻空格找出标签、填写格和表格；"
        "每项都注明依据的单元格，没有把握的标“待核对”。不覆盖已有的文件夹。\n\n"
        "退出码：0 完成，3 无法读取或没有找到表格。",
        "Propose a form definition from a blank or filled workbook.\n\nLabels, values and tables are found by borders, "
        "merges, fills, protection, validations and blank neighbours; each guess names the cell it came from, and what "
        "is unsure is marked CHECK. No folder is overwritten.\n\nExit code: 0 done, 3 not readable, or no form found.",
    ),
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@option("-o", "--out", **OUT, text=("新文件夹，名称就是表式编号。", "The new folder; its name is the id of the form."))
@option("--sheet", text=("工作表名称，默认选最像表格的一张。", "The sheet; by default the one most like a form."))
@limit_option
@JSON
@click.pass_context
def learn(ctx: click.Context, file: Path, out: Path, sheet: str | None, limits: Any, as_json: bool) -> int:
    from kpixl.inputs import read_input
    from kpixl.learn import check_new, write_learned
    from kpixl.learn import learn as learn_content

    lang = lang_of(ctx)
    check_new(out)
    found = learn_content(read_input(file), file.name, out.resolve().name, sheet=sheet, lang=lang, limits=limits)
    written, problems = write_learned(found, out, lang=lang, today=date.today())
    problems = [*found.problems, *_unsure(found, file), *problems]
    if as_json:
        print_json({**_data(found, lang), "problems": [problem.data(lang) for problem in problems]})
    else:
        click.echo(_shown(found, lang))
        report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)


def _counts(found: Learned) -> dict[str, int]:
    tables = found.proposal.tables
    return {
        "fields": len(found.proposal.fields),
        "tables": len(tables),
        "columns": sum(len(table.columns) for table in tables),
        "unsure": len(found.unsure),
    }


def _shown(found: Learned, lang: str) -> str:
    lines = [say(LEARNT, lang, sheet=found.proposal.sheet, **_counts(found))]
    if found.others:
        lines.append(say(OTHERS, lang, names="、".join(found.others)))
    return "\n".join(map(on_one_line, lines))


def _data(found: Learned, lang: str) -> dict[str, Any]:
    tables = found.proposal.tables
    return {
        "form": found.proposal.form_id,
        "sheet": found.proposal.sheet,
        "title": found.proposal.title,
        "fields": [_field(one, lang) for one in found.proposal.fields],
        "tables": {table.key: [_field(one, lang) for one in table.columns] for table in tables},
        "left_aside": list(found.others),
        "unsure": [{"key": key, "reason": say(reason, lang)} for key, reason in found.unsure],
    }


def _field(one: Any, lang: str) -> dict[str, Any]:
    return {
        "key": one.key,
        "label": one.label,
        "label_cell": one.cell,
        "value_cell": one.value_cell,
        "type": one.type,
        "by": say(one.guess.reason, lang),
    }


def _unsure(found: Learned, file: Path) -> list[Problem]:
    place = Location(file.name, found.proposal.sheet)
    return [Problem("learned-unsure", place, {"key": key, "reason": reason}) for key, reason in found.unsure]


@click.command(
    "test",
    cls=Command,
    text=(
        "检查表式文件夹：能否读取，标签是否含糊，缺少哪些说明，再把样例经模板发出、收回，看是否逐字一致。\n\n"
        "退出码：0 没有错误，1 有错误（--strict 时警告也算），3 无法读取。",
        "Try the definition in a folder: whether it can be read, which labels are ambiguous, what is missing; then "
        "send samples through the template and back and compare them to the byte.\n\n"
        "Exit code: 0 no error, 1 errors (with --strict warnings too), 3 not readable.",
    ),
)
@click.argument("folder", type=PATH, metavar="DIR")
@STRICT
@JSON
@click.pass_context
def try_definition(ctx: click.Context, folder: Path, strict: bool, as_json: bool) -> int:
    from kpixl.learn.lint import examine

    lang = lang_of(ctx)
    form, problems = examine(folder)
    if as_json:
        found = [problem.data(lang) for problem in problems]
        print_json({"folder": str(folder), "form": form.id if form else None, "problems": found})
    elif problems:
        print_problems(problems, lang)
    else:
        click.echo(say(TRIED, lang, form=form.id if form else folder.name))
    return exit_code(problems, strict)
