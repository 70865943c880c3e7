"""`kpixl letters`: a letter to each unit, as drafts of mails."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from kpixl.cli.console import exit_code
from kpixl.cli.help import Command, folder_option, lang_of, limit_option, option
from kpixl.cli.shared import BY, DUE, JSON, PATH, form_source, given, load_rosters, needed_folder, report


@click.command(
    cls=Command,
    text=(
        "给每个单位写一封信：收到了什么，请更正什么（到单元格），还缺什么，何时之前。\n\n"
        "每封信是一个邮件草稿（.eml，用 Outlook、Foxmail 打开即可发送，附有标注副本）和一个文本文件。收件人取自"
        " kpixl.yaml 的 contacts，其次是来信的发件人。没有要办的单位不写。退出码：0 全部写出，1 有信没有写出，"
        "或有错误不属于任何一封信，2 用法有误，3 无法继续。",
        "Write a letter to each unit: what came, what is to be corrected (by cell), what is missing, until when.\n\n"
        "Each is a draft (.eml, which Outlook and Foxmail open ready to be sent, with the annotated copies) and a "
        "text. Addresses are those of contacts in kpixl.yaml, else those of senders. A unit with nothing to do gets "
        "none. Exit code: 0 all written, 1 a letter could not be written, or an error is in no letter, 2 usage, 3 "
        "cannot go on.",
    ),
)
@click.argument("paths", type=PATH, nargs=-1, metavar="[PATH]...")
@option("--roster", "roster_path", type=PATH, text=("项目名册。", "The roster."))
@option("-o", "--output", "out", type=PATH, metavar="DIR", text=("存放信件的文件夹。", "The folder."))
@folder_option
@BY
@DUE
@option("--config", type=PATH, text=("配置文件，默认为旁边的 kpixl.yaml。", "By default the kpixl.yaml beside them."))
@option(
    "--template",
    type=PATH,
    metavar="FILE",
    text=("自己的信件模板，见 kpixl forms copy。", "A template of your own, see kpixl forms copy."),
)
@option("--warnings", is_flag=True, text=("只有警告的单位也写。", "Write to units with nothing but warnings too."))
@option("--all", "everything", is_flag=True, text=("每个单位都写，已收齐的致谢。", "Write to all units, with thanks."))
@limit_option
@JSON
@click.pass_context
def letters(
    ctx: click.Context,
    paths: tuple[Path, ...],
    roster_path: Path | None,
    out: Path | None,
    by: str | None,
    due: datetime | None,
    config: Path | None,
    template: Path | None,
    warnings: bool,
    everything: bool,
    limits: Any,
    as_json: bool,
) -> int:
    from kpixl.cli import console
    from kpixl.forms.load import load_forms
    from kpixl.output.annotate import check_folder
    from kpixl.output.letters import letters_data, letters_of, write_letters
    from kpixl.output.status import review_and_status
    from kpixl.portfolio import canonical

    lang, sent = lang_of(ctx), None
    if not paths:
        folder = needed_folder(ctx, "paths")
        sent, settings, paths = load_rosters(ctx, folder).sent, folder.settings, (folder.paths["returned"],)
        roster_path, config = roster_path or folder.paths["roster"], config or folder.config
        by, due, out = by or settings.by, due or settings.due, out or folder.paths["letters"]
    roster_path, out = given(ctx, roster_path, "roster_path"), given(ctx, out, "out")
    check_folder(out, paths)
    forms, roster = list(load_forms(ctx.obj).values()), canonical.load(roster_path, form_source(ctx))[1]
    inputs = [path for path in (roster_path, template) if path]
    with console.progress(lang) as progress:
        reviewed, status = review_and_status(
            paths,
            forms,
            roster,
            sent=sent,
            by=by,
            due=due,
            config=config,
            inputs=inputs,
            limits=limits,
            progress=progress,
        )  # fmt: skip
    made = letters_of(reviewed, status, reviewed.config.contacts, warnings=warnings, everything=everything)
    with console.progress(lang, console.WRITING) as progress:
        written, problems = write_letters(
            reviewed, status, made.letters, out, lang=lang, today=date.today(), extra=ctx.obj, template=template,
            limits=limits, progress=progress,
        )  # fmt: skip
    problems = (*made.rest, *problems)
    if as_json:
        console.print_json(letters_data(written, problems, lang))
    else:
        report(ctx, problems)
        console.print_letters(written, lang)
    return exit_code(problems, False)
