"""`kpixl forms`: the definitions that are installed, and how a file is recognised by them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpixl.cli.console import exit_code, on_one_line, print_json, print_problems
from kpixl.cli.help import Command, CommandGroup, lang_of, limit_option, option
from kpixl.cli.shared import PATH, report, report_written
from kpixl.problems import failure
from kpixl.texts import Text, say

if TYPE_CHECKING:
    from kpixl.recognise.explain import Explained

SHEET: Text = ("工作表", "Sheet")
AS_SENT: Text = ("与下发时相同", "laid out as it was sent")
NO_FORM: Text = ("没有找到表式", "no form found")
OTHER: Text = ("{cell}：这是{kind}（依据：{told}）", "{cell}: this is a {kind} (what shows it: {told})")
THERE: Text = (
    "；该处为 {cell}“{found}”，如是此项请加入 synonyms",
    "; in its place is {cell} {found}: if it is the label, add it to synonyms",
)
ADD: Text = ("可加入 form.yaml：", "To add to form.yaml:")


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    text=("列出可用的表式；说明文件怎样被识别。", "List the form definitions; explain how a file is recognised."),
)
@click.pass_context
def forms(ctx: click.Context) -> int:
    if ctx.invoked_subcommand is None:
        from kpixl.forms.load import load_forms

        for form in load_forms(ctx.obj).values():
            description = form.description.get(lang_of(ctx)) or form.title
            click.echo(f"{form.id}\t{form.version}\t{description}")
    return 0


@forms.command(
    cls=Command,
    text=(
        "说明文件中每张工作表是什么表、哪个标签对应哪个字段、怎样识别（相同、写法不同、同义、相近），缺哪些，"
        "以及可以加到 form.yaml 的写法。\n\n退出码：0 标签都找到，1 有没找到的，3 无法读取。",
        "Explain for each sheet of a file which form it is, which labels are which fields and how they were "
        "recognised (the same, written otherwise, a synonym, nearly the same), which are missing, and what to add to "
        "form.yaml.\n\n"
        "Exit code: 0 all labels found, 1 some are missing, 3 the file cannot be read.",
    ),
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@option("--form", "form_id", text=("只按此表式识别。", "Recognise by this form only."))
@limit_option
@option("--json", "as_json", is_flag=True, text=("在标准输出给出 JSON 报告。", "Report as JSON on stdout."))
@click.pass_context
def explain(ctx: click.Context, file: Path, form_id: str | None, limits: Any, as_json: bool) -> int:
    from kpixl.forms.load import load_form, load_forms
    from kpixl.inputs import read_input
    from kpixl.recognise.explain import explain as explain_content
    from kpixl.recognise.extract import Extractor

    lang = lang_of(ctx)
    known = [load_form(form_id, ctx.obj)] if form_id else list(load_forms(ctx.obj).values())
    if not file.is_file():
        raise failure("path-missing", path=str(file))
    found, problems = explain_content(read_input(file), file.name, Extractor(known), limits)
    if as_json:
        print_json({"file": file.name, "sheets": [one.data(lang) for one in found]})
    else:
        click.echo("\n\n".join(_shown(one, lang) for one in found))
        print_problems(problems, lang)
    lost = any(label.how in ("missing", "unclear") for one in found for label in one.labels)
    return max(int(lost or not any(one.form for one in found)), exit_code(problems, False))


def _shown(found: Explained, lang: str) -> str:
    """Show one form, a line for each label."""
    from kpixl.recognise.explain import HOW

    form = found.form or say(NO_FORM, lang)
    lines = [f"{say(SHEET, lang)} {found.sheet or '-'} · {form}{f' · {say(AS_SENT, lang)}' if found.sent else ''}"]
    lines += [f"  {say(OTHER, lang, kind=say(kind, lang), cell=cell, told=told)}" for kind, cell, told in found.others]
    for label in found.labels:
        text = f"{label.cell} {label.text} → " if label.text and label.how != "missing" else ""
        lost = say(THERE, lang, cell=label.cell, found=label.text) if label.text and label.how == "missing" else ""
        lines.append(f"  {text}{label.label} [{label.key}] {say(HOW[label.how], lang)}{lost}")
    if found.synonyms:
        lines.append(f"  {say(ADD, lang)}")
        lines += [f"    {key}: {json.dumps(texts, ensure_ascii=False)}" for key, texts in found.synonyms.items()]
    return "\n".join(map(on_one_line, lines))


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
    report(ctx, problems)
    report_written(ctx, written)
    return exit_code(problems, False)
